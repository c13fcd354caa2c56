//! Versions of Bitcoin Core.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A version of Bitcoin Core, e.g. 31.99.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// What a release is called by: 28 in 28.1.0.
    pub major: u32,
    /// 1 in 28.1.0; 99 marks a development version.
    pub minor: u32,
    /// 0 in 28.1.0.
    pub patch: u32,
}

impl Version {
    /// The oldest version that Gavel works with: the first to relay version 3 transactions
    /// with pay-to-anchor outputs as packages.
    pub const OLDEST: Self = Self {
        major: 28,
        minor: 0,
        patch: 0,
    };

    /// Reads what `bitcoind --version` prints: `Bitcoin Core daemon version v31.99.0`.
    /// `None` if the first line doesn't look like that.
    pub fn from_banner(banner: &str) -> Option<Self> {
        let line = banner.lines().next()?;
        if !line.contains("Bitcoin Core") {
            return None;
        }
        let (_, after) = line.rsplit_once("version ")?;
        let numbers = after.trim().trim_start_matches('v');
        let mut parts = numbers
            .split(['.', '-', ' '])
            .map(|part| part.parse::<u32>().ok());
        let major = parts.next()??;
        let minor = parts.next().flatten().unwrap_or(0);
        let patch = parts.next().flatten().unwrap_or(0);
        Some(Self {
            major,
            minor,
            patch,
        })
    }

    /// Reads the number in `getnetworkinfo`: 319900 is 31.99.0.
    pub fn from_rpc(number: u32) -> Self {
        Self {
            major: number / 10_000,
            minor: number / 100 % 100,
            patch: number % 100,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners() {
        for (banner, version) in [
            (
                "Bitcoin Core daemon version v31.99.0\nCopyright",
                Some((31, 99, 0)),
            ),
            ("Bitcoin Core version v27.1.0", Some((27, 1, 0))),
            ("Bitcoin Core version v28.0.0rc1", Some((28, 0, 0))),
            (
                "Bitcoin Core daemon version v29.0.0-dirty bitcoind",
                Some((29, 0, 0)),
            ),
            ("Bitcoin Core version", None),
            ("sleep (GNU coreutils) 9.1", None),
            ("", None),
        ] {
            let want = version.map(|(major, minor, patch)| Version {
                major,
                minor,
                patch,
            });
            assert_eq!(Version::from_banner(banner), want, "{banner}");
        }
        assert_eq!(Version::from_rpc(280100).to_string(), "28.1.0");
        assert!(Version::from_rpc(270200) < Version::OLDEST);
    }
}
