//! What it takes to build Bitcoin Core, and how to get it on this system.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{InstallError, build};
use crate::Error;

/// Something the build needs, with the Debian package that has it.
struct Need {
    package: &'static str,
    present: fn() -> bool,
}

const NEEDS: [Need; 6] = [
    Need {
        package: "g++",
        present: || build::compiler().is_some(),
    },
    Need {
        package: "cmake",
        present: || runs("cmake"),
    },
    Need {
        package: "ninja-build",
        present: || runs("ninja"),
    },
    Need {
        package: "pkgconf",
        present: || runs("pkg-config"),
    },
    Need {
        package: "libboost-dev",
        present: || has_header("boost/multi_index_container.hpp"),
    },
    Need {
        package: "libevent-dev",
        present: || has_header("event2/event.h"),
    },
];

/// The tools that are missing, and the command that installs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTools {
    /// Debian and Ubuntu names of the packages.
    pub packages: Vec<&'static str>,
    /// Why they weren't installed.
    pub reason: String,
}

impl fmt::Display for MissingTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = self.packages.join(" ");
        write!(
            f,
            "building Bitcoin Core needs tools that are missing: {list}. {}. Install them and \
             try again. Debian, Ubuntu: `sudo apt-get install {list}`. Fedora: `sudo dnf install \
             gcc-c++ cmake ninja-build boost-devel libevent-devel pkgconf`. Arch: `sudo pacman -S \
             gcc cmake ninja boost libevent pkgconf`. macOS: `brew install cmake ninja boost \
             libevent pkgconf`. Or set GAVEL_BITCOIND to a bitcoind of version 28 or newer",
            self.reason
        )
    }
}

/// Debian names of what is missing here.
pub fn missing_tools() -> Vec<&'static str> {
    NEEDS
        .iter()
        .filter(|need| !(need.present)())
        .map(|need| need.package)
        .collect()
}

/// Installs what is missing, if that needs no question.
pub(super) fn ensure(work: &Path) -> Result<(), Error> {
    let packages = missing_tools();
    if packages.is_empty() {
        return Ok(());
    }
    let give_up = |packages: Vec<&'static str>, reason: &str| {
        let reason = reason.to_owned();
        Error::from(InstallError::MissingTools(MissingTools {
            packages,
            reason,
        }))
    };
    if !runs("apt-get") {
        return Err(give_up(
            packages,
            "There is no apt-get here to install them with",
        ));
    }
    let prefix: &[&str] = if is_root() {
        &[]
    } else if succeeds("sudo", &["-n", "true"]) {
        &["sudo", "-n"]
    } else {
        return Err(give_up(
            packages,
            "Only root can install them, and sudo wants a password",
        ));
    };
    let log = work.join("apt.log");
    // lists may be stale or absent, as in a fresh container; if the update fails, the
    // installation says more clearly why
    let _ = build::logged(&mut apt(prefix, &["update"]), "apt-get update", &log);
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(&packages);
    build::logged(&mut apt(prefix, &arguments), "apt-get install", &log)?;
    match missing_tools() {
        still if still.is_empty() => Ok(()),
        still => Err(give_up(
            still,
            "apt-get installed them, but they still can't be used",
        )),
    }
}

/// `apt-get` that never asks, and waits its turn.
fn apt(prefix: &[&str], arguments: &[&str]) -> Command {
    let mut words: Vec<&str> = prefix.to_vec();
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    words.extend(["-q", "-o", "DPkg::Lock::Timeout=300"]);
    words.extend(arguments);
    let (program, rest) = words
        .split_first()
        .map_or(("apt-get", &[][..]), |(p, r)| (*p, r));
    let mut command = Command::new(program);
    command.args(rest);
    command
}

/// Whether this process is root, by asking `id`: there is no safe call for it in std.
fn is_root() -> bool {
    let output = Command::new("id").arg("-u").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether a program is there.
fn runs(program: &str) -> bool {
    succeeds(program, &["--version"])
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether the C++ compiler finds a header.
fn has_header(name: &str) -> bool {
    let Some(compiler) = build::compiler() else {
        return false;
    };
    let mut command = Command::new(compiler);
    if cfg!(target_os = "macos") {
        command.args(["-I/opt/homebrew/include", "-I/usr/local/include"]);
    }
    let child = command
        .args(["-x", "c++", "-fsyntax-only", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // if this fails, so does the compiler
        let _ = writeln!(stdin, "#include <{name}>");
    }
    child.wait().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_says_what_to_type() {
        let missing = MissingTools {
            packages: vec!["cmake", "ninja-build"],
            reason: "No root".into(),
        };
        assert!(
            missing
                .to_string()
                .contains("sudo apt-get install cmake ninja-build`")
        );
    }

    #[test]
    fn apt_never_asks() {
        let command = apt(&["sudo", "-n"], &["update"]);
        assert_eq!(command.get_program(), "sudo");
        assert!(
            command
                .get_args()
                .any(|arg| arg == "DEBIAN_FRONTEND=noninteractive")
        );
    }
}
