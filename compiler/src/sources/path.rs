//! From what an import says to the name of a file.

/// The file that `path` means in the file `importer`, by its path from the main file's folder.
///
/// # Errors
/// What is wrong with the path, and what helps.
pub(crate) fn resolve(importer: &str, path: &str) -> Result<String, &'static str> {
    if path.starts_with("std/") && !path.ends_with(".gvl") {
        return Ok(path.to_owned());
    }
    if path.starts_with('/') || path.contains(':') {
        return Err("a path starts at the folder of the file that imports: `lib/prices.gvl`");
    }
    if path.contains('\\') || path.chars().any(char::is_control) {
        return Err("folders are separated by `/`: `lib/prices.gvl`");
    }
    if !path.ends_with(".gvl") {
        return Err("a library is a file that ends with `.gvl`, or one of `std/`");
    }
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}
