//! Which node is meant: one of Gavel's own in the background, by name or folder, or one that
//! runs elsewhere, by address.

use std::env;
use std::path::PathBuf;

use gavel_regtest::{Auth, Background, Rpc};

use crate::failure::Failure;

/// Which background node.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// Name of the node: several can be up at once
    #[arg(long, default_value = "default", value_parser = name)]
    name: String,
    /// Folder that holds the node, instead of a name
    #[arg(
        long,
        env = "GAVEL_REGTEST_DIR",
        value_name = "FOLDER",
        conflicts_with = "name"
    )]
    dir: Option<PathBuf>,
}

/// Which node, one of Gavel's or not.
#[derive(Debug, clap::Args)]
pub struct Target {
    #[command(flatten)]
    place: Place,
    /// Address of a node that Gavel didn't start, e.g. http://127.0.0.1:18443
    #[arg(
        long,
        env = "GAVEL_RPC_URL",
        value_name = "URL",
        help_heading = "Another node"
    )]
    rpc_url: Option<String>,
    /// Its cookie file
    #[arg(
        long,
        env = "GAVEL_RPC_COOKIE",
        value_name = "FILE",
        requires = "rpc_url",
        help_heading = "Another node"
    )]
    rpc_cookie: Option<PathBuf>,
    /// Its user, if it has no cookie file
    #[arg(
        long,
        env = "GAVEL_RPC_USER",
        value_name = "USER",
        requires = "rpc_url",
        help_heading = "Another node"
    )]
    rpc_user: Option<String>,
    /// The user's password; better set in the environment than typed here
    #[arg(
        long,
        env = "GAVEL_RPC_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true,
        help_heading = "Another node"
    )]
    rpc_password: Option<String>,
}

impl Place {
    /// The folder that is meant.
    pub fn background(&self) -> Result<Background, Failure> {
        let dir = match &self.dir {
            Some(dir) => dir.clone(),
            None => data_dir()?.join("regtest").join(&self.name),
        };
        Ok(Background::in_dir(&dir)?)
    }
}

impl Target {
    /// The background node that is meant, if none by address is.
    pub fn place(&self) -> Option<&Place> {
        self.rpc_url.is_none().then_some(&self.place)
    }

    /// Connects to whichever node is meant.
    pub fn connect(&self) -> Result<Rpc, Failure> {
        let Some(url) = &self.rpc_url else {
            return Ok(self.place.background()?.connect()?.1);
        };
        let auth = match (&self.rpc_cookie, &self.rpc_user, &self.rpc_password) {
            (Some(cookie), None, _) => Auth::Cookie(cookie.clone()),
            (None, Some(user), Some(password)) => Auth::UserPass {
                user: user.clone(),
                password: password.clone(),
            },
            _ => {
                let message = "--rpc-url needs --rpc-cookie, or --rpc-user and --rpc-password";
                return Err(Failure::usage(message));
            }
        };
        Ok(Rpc::connect(url, auth)?)
    }
}

/// Where Gavel keeps what must outlive a cache.
fn data_dir() -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
        .map(|path| path.join("gavel"))
        .ok_or_else(|| Failure::usage("neither XDG_DATA_HOME nor HOME is set: pass --dir FOLDER"))
}

/// A name becomes a folder's: letters, digits, `-` and `_`.
fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if (1..=64).contains(&text.len()) && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("a name has 1 to 64 letters, digits, - and _".to_owned())
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names() {
        for (text, good) in [
            ("default", true),
            ("a-b_7", true),
            ("", false),
            ("../x", false),
        ] {
            assert_eq!(super::name(text).is_ok(), good, "{text}");
        }
    }
}
