//! The texts that a contract is made of: its own file and the libraries that it imports.
//!
//! All files share one space of offsets, so that a [`Span`] alone says which file it is in: the
//! main file starts at 0, the others follow, and the standard library has a place of its own.
//!
//! **Invariants:** no two files overlap; nothing here reads a file. Who has a file system asks
//! [`Sources::wanted`] what is missing, gives it, and asks again.

mod library;
mod path;
mod position;

pub use library::STD;
pub use position::{Columns, Position};

pub(crate) use library::std_file;
pub(crate) use path::resolve;

use crate::syntax::{self, MAX_SOURCE};
use crate::word::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// The most files of a contract, its own among them, the standard library not counted.
pub const MAX_FILES: usize = 64;

/// A file, and its place in the space of offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    name: String,
    text: Arc<str>,
    base: u32,
}

impl File {
    /// Its path from the main file's folder, or `std/..`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The offset of its first byte.
    pub fn base(&self) -> u32 {
        self.base
    }

    /// A span as bytes of the text, which are character boundaries.
    pub fn range(&self, span: Span) -> Range<usize> {
        let floor = |at: u32| {
            let mut at = (at.saturating_sub(self.base) as usize).min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at = at.saturating_sub(1);
            }
            at
        };
        let start = floor(span.start);
        start..floor(span.end).max(start)
    }

    /// What stands there.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(self.range(span)).unwrap_or_default()
    }

    /// First and last line of a span, from 1; `None` for an empty span.
    pub fn lines(&self, span: Span) -> Option<[usize; 2]> {
        if span.end <= span.start {
            return None;
        }
        let line = |at: u32| {
            let before = self
                .text
                .as_bytes()
                .get(..at.checked_sub(self.base)? as usize)?;
            Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
        };
        Some([line(span.start)?, line(span.end - 1)?])
    }
}

/// All files of a contract or library. The first is the main one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// The main file's path, as it is shown.
    path: String,
    main: File,
    others: Vec<File>,
    /// Files that can't be had, and why.
    refused: BTreeMap<String, String>,
}

impl Sources {
    /// A main file; `path` is how it is shown, and where imports start from.
    pub fn new(path: &str, text: &str) -> Self {
        let (_, name) = split(path);
        let main = File {
            name: name.to_owned(),
            text: text.into(),
            base: 0,
        };
        Self {
            path: path.to_owned(),
            main,
            others: Vec::new(),
            refused: BTreeMap::new(),
        }
    }

    /// The same files, the main one shown as `path`, and the others as seen from there.
    #[must_use]
    pub fn shown_as(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    /// Gives a file that is wanted. One that is too long, or one too many, is refused.
    pub fn add(&mut self, name: &str, text: &str) {
        if self.find(name).is_some() {
            return;
        }
        if text.len() > MAX_SOURCE {
            self.refuse(name, "it is longer than 1 MiB");
        } else if self.others.len() + 1 >= MAX_FILES {
            self.refuse(name, &format!("there are {MAX_FILES} files already"));
        } else {
            let last = self.others.last().unwrap_or(&self.main);
            // An offset between two files belongs to the end of the first.
            let base = last.base + last.text.len().min(MAX_SOURCE) as u32 + 1;
            self.refused.remove(name);
            self.others.push(File {
                name: name.to_owned(),
                text: text.into(),
                base,
            });
        }
    }

    /// Says why a file that is wanted can't be had: `it does not exist`.
    pub fn refuse(&mut self, name: &str, why: &str) {
        self.refused.insert(name.to_owned(), why.to_owned());
    }

    /// The files that are imported and neither given nor refused yet: names, which are paths from
    /// the main file's folder.
    pub fn wanted(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for file in self.files() {
            for import in syntax::imports(&file.text, file.base) {
                if let Ok(name) = resolve(&file.name, &import.path.text)
                    && self.find(&name).is_none()
                    && !self.refused.contains_key(&name)
                    && !is_std(&name)
                {
                    names.insert(name);
                }
            }
        }
        names
    }

    /// The main file.
    pub fn main(&self) -> &File {
        &self.main
    }

    /// The files that were given, the main one first.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        std::iter::once(&self.main).chain(&self.others)
    }

    /// A file by its name; those of the standard library are always there.
    pub fn find(&self, name: &str) -> Option<&File> {
        self.files()
            .find(|file| file.name == name)
            .or_else(|| std_file(name))
    }

    /// Why a file can't be had.
    pub(crate) fn refusal(&self, name: &str) -> &str {
        let why = self.refused.get(name);
        why.map_or("it does not exist", String::as_str)
    }

    /// The file that an offset is in; of an offset in none, the one before it.
    pub fn file_at(&self, offset: u32) -> &File {
        if let Some(file) = library::at(offset) {
            return file;
        }
        let n = self.others.partition_point(|file| file.base <= offset);
        let other = n.checked_sub(1).and_then(|n| self.others.get(n));
        other.unwrap_or(&self.main)
    }

    /// What stands there.
    pub fn slice(&self, span: Span) -> &str {
        self.file_at(span.start).slice(span)
    }

    /// First and last line of a span in its file, from 1; `None` for the empty span of what
    /// comes from no source.
    pub fn lines(&self, span: Span) -> Option<[usize; 2]> {
        self.file_at(span.start).lines(span)
    }

    /// How a file is shown, and where it is found.
    pub fn shown(&self, file: &File) -> String {
        if file.base == 0 {
            return self.path.clone();
        }
        self.path_of(&file.name)
    }

    fn path_of(&self, name: &str) -> String {
        let (folder, _) = split(&self.path);
        if is_std(name) {
            name.to_owned()
        } else {
            format!("{folder}{name}")
        }
    }
}

/// A path as folder, with its last `/`, and name.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

fn is_std(name: &str) -> bool {
    name.starts_with("std/") && !name.ends_with(".gvl")
}

impl From<&str> for Sources {
    fn from(text: &str) -> Self {
        Self::new("", text)
    }
}

impl From<&String> for Sources {
    fn from(text: &String) -> Self {
        Self::new("", text)
    }
}

impl From<&Self> for Sources {
    fn from(sources: &Self) -> Self {
        sources.clone()
    }
}
