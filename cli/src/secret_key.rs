//! Secret keys of signers: 32 bytes as hex, in a file for their owner only. Never shown, and wiped
//! from memory when dropped.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use bitcoin::hex::FromHex;
use bitcoin::secp256k1::{Keypair, Secp256k1, XOnlyPublicKey};
use gavel_compiler::ledger::{Call, Signed};
use gavel_verifier::sign::rand::{CryptoRng, rng};
use zeroize::Zeroizing;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;

/// A secret key.
pub struct SecretKey(Keypair);

/// Bytes that a file with a key has at most: white space is no harm.
const LARGEST: u64 = 1024;

impl SecretKey {
    /// Reads a key.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        const WHAT: &str = "a secret key (64 hex digits)";
        let mut text = Zeroizing::new(String::with_capacity(LARGEST as usize + 1));
        let opened = file::open(path, WHAT)?;
        let read = opened.take(LARGEST + 1).read_to_string(&mut text);
        match read {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(no_key(path)),
            Err(error) => return Err(file::unreadable(path, &error)),
            Ok(_) => {}
        }
        let bytes = Zeroizing::new(<[u8; 32]>::from_hex(text.trim()).map_err(|_| no_key(path))?);
        let pair = Keypair::from_seckey_slice(&Secp256k1::new(), &*bytes);
        pair.map(Self).map_err(|_| no_key(path))
    }

    /// Makes a new key and writes it to a file that isn't there yet.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let key = Self::generate(&mut rng());
        let mut options = fs::File::options();
        options.write(true).create_new(true);
        for_owner(&mut options);
        let mut file = options.open(path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => file::exists(path),
            ErrorKind::NotFound | ErrorKind::NotADirectory => Failure::new(
                Exit::Usage,
                "no-such-folder",
                format!(
                    "`{}` can't be written: there is no such folder",
                    path.display()
                ),
            ),
            _ => file::unwritable(path, &error),
        })?;
        let bytes = Zeroizing::new(key.0.secret_bytes());
        let mut text = Zeroizing::new(String::with_capacity(65));
        for byte in bytes.iter() {
            for digit in [byte >> 4, byte & 0xf] {
                text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all());
        written.map_err(|error| {
            // Half a key is of no use to anybody.
            let _ = fs::remove_file(path);
            file::unwritable(path, &error)
        })?;
        Ok(key)
    }

    fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        loop {
            rng.fill_bytes(&mut *bytes);
            // Fails once in 2^128.
            if let Ok(pair) = Keypair::from_seckey_slice(&Secp256k1::new(), &*bytes) {
                return Self(pair);
            }
        }
    }

    /// Its public key.
    pub fn public(&self) -> XOnlyPublicKey {
        self.0.x_only_public_key().0
    }

    /// Its public key as entries name their signers.
    pub fn words(&self) -> [u32; 8] {
        words(&self.public())
    }

    /// What this key's owner adds to a call.
    pub fn sign(&self, call: &Call, nonce: u64) -> Option<Signed> {
        let unsigned = Call {
            signatures: Vec::new(),
            ..call.clone()
        };
        unsigned.sign(&self.0, nonce).signatures.pop()
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.0.non_secure_erase();
    }
}

/// A public key as entries name their signers: eight words, big end first.
pub fn words(key: &XOnlyPublicKey) -> [u32; 8] {
    let bytes = key.serialize();
    let (words, _) = bytes.as_chunks::<4>();
    let mut all = [0; 8];
    for (slot, word) in all.iter_mut().zip(words) {
        *slot = u32::from_be_bytes(*word);
    }
    all
}

/// Says nothing of what stands there: it may be nearly a key.
fn no_key(path: &Path) -> Failure {
    let shown = path.display();
    let message = format!("`{shown}` holds no secret key: 64 hex digits are needed");
    Failure::new(Exit::No, "key", message).hint("`gavel calls key FILE` makes one.")
}

#[cfg(unix)]
fn for_owner(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn for_owner(_: &mut fs::OpenOptions) {}
