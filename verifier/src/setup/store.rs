//! A finished setup on disk: all that gets a party's money back, but no secret. With the seed,
//! the contract, its plan and the terms, it rebuilds the [`Ready`].
//!
//! The file holds what came from others as it came: the announcements, the one-time public
//! keys, and the n-of-n's signatures in the order of the graph. Nothing in it is believed:
//! loading goes through every check that the setup went through, and verifies every signature
//! against the rebuilt graph. A digest over the whole file finds damage before that.

use super::{Messages, Ready, SetupError, build, count, deploy, jobs, own_keys};
use crate::deploy::Terms;
use crate::graph::TxName;
use crate::sign::{Seed, Tweak};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::secp256k1::{Message, Secp256k1, schnorr};
use gavel_compiler::contract::Contract;
use gavel_compiler::segment::Plan;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"gavelst1";
const DIGEST: usize = 32;
const SIGNATURE: usize = 64;

/// Why a setup can't be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// Another file is there. It may be all that gets somebody's money back.
    #[error("{}: holds something else already, and is not replaced", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Damaged, or not such a file.
    #[error("{}: damaged, or not a stored setup", path.display())]
    Corrupted {
        /// The file.
        path: PathBuf,
    },
    /// Of another contract.
    #[error("{}: the setup of another contract, or of other parameters", path.display())]
    Contract {
        /// The file.
        path: PathBuf,
    },
    /// Of other terms.
    #[error("{}: the setup of another instance; were other terms agreed?", path.display())]
    Instance {
        /// The file.
        path: PathBuf,
    },
    /// Of another seed.
    #[error("{}: the setup of another seed", path.display())]
    Seed {
        /// The file.
        path: PathBuf,
    },
    /// The one-time keys that were announced aren't those that seed and plan give.
    #[error("{}: announces other one-time keys than this seed and plan give", path.display())]
    OwnKeys {
        /// The file.
        path: PathBuf,
    },
    /// A message, or what the messages make.
    #[error("{}: {error}", path.display())]
    Setup {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: SetupError,
    },
    /// Not one signature for each that the graph needs.
    #[error("{}: {got} signatures, the graph needs {need}", path.display())]
    Signatures {
        /// The file.
        path: PathBuf,
        /// How many there are.
        got: usize,
        /// How many are needed.
        need: usize,
    },
    /// A signature that the chain would refuse.
    #[error("{}: the signature for input {input} of {name} is not valid", path.display())]
    Signature {
        /// The file.
        path: PathBuf,
        /// The transaction.
        name: TxName,
        /// Its input.
        input: usize,
    },
}

/// That a setup is on disk: only [`Ready::store`] and [`Ready::load`] give it, and
/// [`Ready::sign_fund`] wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    digest: [u8; DIGEST],
}

impl Stored {
    /// Whether it was this setup, to the last signature.
    pub(super) fn is_of(&self, ready: &Ready) -> bool {
        digest(&ready.encode()) == self.digest
    }
}

impl Ready {
    /// Writes the setup to a new file, and returns when it would survive a crash. A file that
    /// holds the same already is fine; any other is left alone.
    ///
    /// # Errors
    /// [`StoreError::Io`], [`StoreError::Exists`].
    pub fn store(&self, path: impl AsRef<Path>) -> Result<Stored, StoreError> {
        let path = path.as_ref();
        let mut bytes = self.encode();
        let digest = digest(&bytes);
        bytes.extend_from_slice(&digest);
        match fs::read(path) {
            Ok(found) if found == bytes => {}
            Ok(_) => {
                let path = path.to_owned();
                return Err(StoreError::Exists { path });
            }
            Err(e) if e.kind() == ErrorKind::NotFound => write(path, &bytes)?,
            Err(e) => return Err(io(path)(e)),
        }
        sync(path)?;
        Ok(Stored { digest })
    }

    /// Rebuilds the setup from its file, with everything checked again. `plan` must be cut as it
    /// was then: same contract, same budget.
    ///
    /// # Errors
    /// [`StoreError`] says what doesn't fit.
    pub fn load(
        path: impl AsRef<Path>,
        contract: Contract,
        plan: Plan,
        terms: Terms,
        seed: &Seed,
    ) -> Result<(Self, Stored), StoreError> {
        let path = path.as_ref();
        let own = path.to_owned();
        let wrong = |error| StoreError::Setup {
            path: own.clone(),
            error,
        };
        let bytes = fs::read(path).map_err(io(path))?;
        let corrupted = || StoreError::Corrupted {
            path: path.to_owned(),
        };
        let (body, sum) = bytes.split_last_chunk::<DIGEST>().ok_or_else(corrupted)?;
        if digest(body) != *sum {
            return Err(corrupted());
        }
        let file = Contents::parse(body).ok_or_else(corrupted)?;
        let path = path.to_owned();
        if file.contract != contract.id {
            return Err(StoreError::Contract { path });
        }
        let need = contract.parties.len();
        count("hello", &file.messages.hellos, need).map_err(wrong)?;
        count("one-time-keys", &file.messages.keys, need).map_err(wrong)?;
        let deployment = deploy(contract, plan, terms, &file.messages.hellos).map_err(wrong)?;
        if file.instance != deployment.instance {
            return Err(StoreError::Instance { path });
        }
        let me = usize::from(file.me);
        let key = seed.party_key(&deployment.contract.id);
        if deployment.parties.get(me).map(|hello| hello.key) != Some(key.public()) {
            return Err(StoreError::Seed { path });
        }
        let (secrets, announced) = own_keys(&deployment, file.me, seed, &key).map_err(wrong)?;
        if file.messages.keys.get(me) != Some(&announced) {
            return Err(StoreError::OwnKeys { path });
        }
        let graph = Arc::new(build(deployment, &file.messages.keys).map_err(wrong)?);
        let joint = verified(&graph, &file.signatures, &path)?;
        // Whoever wrote it may have crashed before it was safe.
        sync(&path)?;
        let ready = Self {
            me: file.me,
            graph,
            joint: Arc::new(joint),
            key,
            secrets,
            messages: file.messages,
        };
        Ok((ready, Stored { digest: *sum }))
    }

    /// The file without its digest.
    fn encode(&self) -> Vec<u8> {
        let d = &self.graph.deployment;
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.me);
        bytes.extend_from_slice(&d.contract.id);
        bytes.extend_from_slice(&d.instance);
        let Messages { hellos, keys } = &self.messages;
        for messages in [hellos, keys] {
            push_length(&mut bytes, messages.len());
            for message in messages {
                push_length(&mut bytes, message.len());
                bytes.extend_from_slice(message);
            }
        }
        // The map's order is that of `Graph::joint_jobs`: by name, then by input.
        push_length(&mut bytes, self.joint.len());
        for signature in self.joint.values() {
            bytes.extend_from_slice(&signature.serialize());
        }
        bytes
    }
}

/// Each signature in its place, verified with the key that the chain will verify it with.
fn verified(
    graph: &crate::graph::Graph,
    signatures: &[[u8; SIGNATURE]],
    path: &Path,
) -> Result<BTreeMap<(TxName, usize), schnorr::Signature>, StoreError> {
    let setup = |error| StoreError::Setup {
        path: path.to_owned(),
        error,
    };
    let jobs = jobs(graph).map_err(setup)?;
    if jobs.len() != signatures.len() {
        return Err(StoreError::Signatures {
            path: path.to_owned(),
            got: signatures.len(),
            need: jobs.len(),
        });
    }
    let secp = Secp256k1::verification_only();
    let d = &graph.deployment;
    let mut joint = BTreeMap::new();
    for (((name, input, _), job), bytes) in graph.joint_jobs().into_iter().zip(jobs).zip(signatures)
    {
        let key = match job.tweak {
            Tweak::None => d.joint,
            Tweak::TapTweak(root) => {
                let key = d.keys.output_key(root);
                key.map_err(|e| setup(SetupError::Deploy(e.into())))?
            }
        };
        let message = Message::from_digest(job.sighash);
        let signature = schnorr::Signature::from_slice(bytes).ok();
        let valid =
            signature.filter(|signature| secp.verify_schnorr(signature, &message, &key).is_ok());
        let Some(signature) = valid else {
            return Err(StoreError::Signature {
                path: path.to_owned(),
                name,
                input,
            });
        };
        joint.insert((name, input), signature);
    }
    Ok(joint)
}

/// What a file says, unbelieved.
struct Contents {
    me: u8,
    contract: [u8; 32],
    instance: [u8; 32],
    messages: Messages,
    signatures: Vec<[u8; SIGNATURE]>,
}

impl Contents {
    fn parse(body: &[u8]) -> Option<Self> {
        let mut rest = body.strip_prefix(MAGIC)?;
        let [me] = array(&mut rest)?;
        let contract = array(&mut rest)?;
        let instance = array(&mut rest)?;
        let mut messages = || {
            let n = length(&mut rest)?;
            (0..n)
                .map(|_| {
                    let length = length(&mut rest)?;
                    let (message, after) = rest.split_at_checked(length)?;
                    rest = after;
                    Some(message.to_vec())
                })
                .collect::<Option<Vec<_>>>()
        };
        let messages = Messages {
            hellos: messages()?,
            keys: messages()?,
        };
        let n = length(&mut rest)?;
        let signatures = (0..n).map(|_| array(&mut rest)).collect::<Option<_>>()?;
        rest.is_empty().then_some(Self {
            me,
            contract,
            instance,
            messages,
            signatures,
        })
    }
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*array)
}

fn length(rest: &mut &[u8]) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(array(rest)?)).ok()
}

fn push_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.extend_from_slice(&(length as u64).to_le_bytes());
}

pub(super) fn digest(body: &[u8]) -> [u8; DIGEST] {
    let tag = sha256::Hash::hash(b"gavel/setup-file");
    let mut engine = sha256::Hash::engine();
    engine.input(tag.as_byte_array());
    engine.input(tag.as_byte_array());
    engine.input(body);
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// A new file in one step: a crash leaves all of it or nothing under its name.
fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut temporary = OsString::from(path);
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let mut file = File::create(&temporary).map_err(io(&temporary))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(io(&temporary))?;
    drop(file);
    fs::rename(&temporary, path).map_err(io(path))
}

/// Makes a file and its name survive a crash.
fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(io(path))?;
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    File::open(parent)
        .and_then(|directory| directory.sync_all())
        .map_err(io(parent))?;
    #[cfg(not(unix))]
    let _ = parent;
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Io { path, source }
}
