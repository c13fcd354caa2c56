//! An honest party in an explored world: the production machine with a signer that can be
//! copied.

use super::setting::Setting;
use bitcoin::TapNodeHash;
use bitcoin::secp256k1::schnorr;
use gavel_compiler::commit::{Shape, Signature};
use gavel_compiler::segment::ElementId;
use gavel_verifier::game::{Act, Duty, Event, Kit, KitError, Party, Player, Signer};
use gavel_verifier::graph::{Graph, TxName};
use gavel_verifier::sign::{
    Guard, GuardError, OneTimeError, OneTimeKeys, Record, Role, Source, Statement,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What each of a party's one-time keys signed.
pub type Signed = BTreeMap<u16, BTreeSet<Vec<u8>>>;
/// Signatures made before: they take thousands of hashes.
type Cache = Arc<Mutex<HashMap<(u16, Vec<u8>), Signature>>>;

/// Signs for one party: one-time signatures are real, Schnorr signatures are placeholders,
/// because nothing in an explored world verifies them.
struct ModelSigner {
    secrets: Arc<OneTimeKeys>,
    cache: Cache,
    signed: Arc<Mutex<Signed>>,
    guarded: bool,
}

/// Stands in for every Schnorr signature.
pub fn placeholder() -> Option<schnorr::Signature> {
    schnorr::Signature::from_slice(&[1; 64]).ok()
}

/// Lets everything pass; what was signed is in [`Signed`].
struct Free;

impl Guard for Free {
    fn commit(&mut self, _: &[Record]) -> Result<(), GuardError> {
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Signer for ModelSigner {
    fn sign(&self, _: [u8; 32]) -> Option<schnorr::Signature> {
        placeholder()
    }

    fn sign_key_path(&self, _: [u8; 32], _: Option<TapNodeHash>) -> Option<schnorr::Signature> {
        placeholder()
    }

    fn commit(
        &mut self,
        messages: Vec<(ElementId, Shape, Vec<u8>)>,
        source: Source,
    ) -> Result<Vec<Signature>, OneTimeError> {
        let mut signed = locked(&self.signed);
        let role = Role::Claimer;
        if self.guarded {
            // All, or none.
            for (element, _, digits) in &messages {
                let element = element.0;
                let other = signed
                    .get(&element)
                    .is_some_and(|all| !all.contains(digits));
                if other {
                    return Err(OneTimeError::SecondMessage { role, element });
                }
            }
        }
        let mut cache = locked(&self.cache);
        let mut all = Vec::with_capacity(messages.len());
        for (element, shape, digits) in messages {
            let element = element.0;
            signed.entry(element).or_default().insert(digits.clone());
            let key = (element, digits);
            let signature = match cache.get(&key) {
                Some(signature) => signature.clone(),
                None => {
                    let statement = Statement {
                        role,
                        element,
                        shape,
                        digits: key.1.clone(),
                        source,
                    };
                    let signature = self.secrets.sign(&statement, &mut Free)?;
                    cache.insert(key, signature.clone());
                    signature
                }
            };
            all.push(signature);
        }
        Ok(all)
    }
}

/// The n-of-n's signatures, which every party of a setting has, on whatever graph there is.
pub type Joint = Arc<BTreeMap<(TxName, usize), schnorr::Signature>>;

/// Every signature of the n-of-n.
pub fn joint(setting: &Setting) -> Joint {
    let jobs = setting.graph.joint_jobs();
    let signed = jobs
        .into_iter()
        .filter_map(|(name, input, _)| Some(((name, input), placeholder()?)));
    Arc::new(signed.collect())
}

/// A party's means, and a handle to what its one-time keys sign.
fn kit(graph: &Arc<Graph>, joint: &Joint, me: u8, signer: ModelSigner) -> Kit {
    Kit {
        me,
        graph: graph.clone(),
        joint: joint.clone(),
        signer: Box::new(signer),
        feerate: 1,
    }
}

/// A kit of a rogue: it signs whatever it is asked to.
pub fn rogue(setting: &Setting, joint: &Joint, me: u8) -> Option<Kit> {
    let signer = ModelSigner {
        secrets: setting.secrets(me)?.clone(),
        cache: Cache::default(),
        signed: Arc::default(),
        guarded: false,
    };
    Some(kit(&setting.graph, joint, me, signer))
}

/// An honest party and what it signed.
#[derive(Debug)]
pub struct Mind {
    /// The machine.
    pub party: Party,
    secrets: Arc<OneTimeKeys>,
    cache: Cache,
    signed: Arc<Mutex<Signed>>,
    /// What it heard of the present chain, where it is to forget the rest.
    log: Vec<Event>,
}

impl Mind {
    /// An honest party that knows nothing yet.
    pub fn new(setting: &Setting, joint: &Joint, me: u8) -> Option<Self> {
        let secrets = setting.secrets(me)?.clone();
        let (cache, signed) = (Cache::default(), Arc::default());
        let signer = ModelSigner {
            secrets: secrets.clone(),
            cache: cache.clone(),
            signed: Arc::clone(&signed),
            guarded: setting.rules.guarded,
        };
        Some(Self {
            party: Party::new(kit(&setting.known, joint, me, signer)),
            secrets,
            cache,
            signed,
            log: vec![],
        })
    }

    /// A copy that knows and has signed the same.
    pub fn fork(&self, setting: &Setting) -> Self {
        let signed = Arc::new(Mutex::new(self.signed()));
        let signer = ModelSigner {
            secrets: self.secrets.clone(),
            cache: self.cache.clone(),
            signed: signed.clone(),
            guarded: setting.rules.guarded,
        };
        Self {
            party: self.party.fork(Box::new(signer)),
            secrets: self.secrets.clone(),
            cache: self.cache.clone(),
            signed,
            log: self.log.clone(),
        }
    }

    /// What its one-time keys signed.
    pub fn signed(&self) -> Signed {
        locked(&self.signed).clone()
    }

    /// Tells it of an event, if it listens.
    pub fn on(&mut self, setting: &Setting, event: &Event) {
        if !(setting.rules.hears)(event) {
            return;
        }
        self.party.on(event);
        if setting.rules.forgets {
            match event {
                Event::Connected { .. } => self.log.push(event.clone()),
                Event::Disconnected { .. } => self.forget(setting),
                _ => {}
            }
        }
    }

    /// Knows only the present chain from now on.
    fn forget(&mut self, setting: &Setting) {
        self.log.pop();
        let kit = self.party.kit();
        let Some(mut fresh) = Self::new(setting, &kit.joint, kit.me) else {
            return;
        };
        if let Some((k, inputs)) = self.party.intent() {
            fresh.party.claim(*k, inputs.clone());
        }
        *locked(&fresh.signed) = self.signed();
        for event in &self.log {
            fresh.party.on(event);
            // What it did then, it did: only what it saw is gone.
            let _ = fresh.act(setting);
        }
        fresh.log = std::mem::take(&mut self.log);
        *self = fresh;
    }

    /// What it wants done, with every trace computed that it asks for.
    ///
    /// # Errors
    /// The machine's own.
    pub fn act(&mut self, setting: &Setting) -> Result<Act, KitError> {
        let mut act = loop {
            let act = self.party.act()?;
            let unknown = act.duties.iter().filter_map(|duty| match duty {
                Duty::Compute { inputs } => Some(inputs.clone()),
                Duty::Broadcast { .. } => None,
            });
            let unknown: Vec<Vec<u32>> = unknown.collect();
            if unknown.is_empty() {
                break act;
            }
            for inputs in unknown {
                let trace = (setting.rules.believes)(setting.trace(&inputs));
                self.party.on(&Event::Traced { inputs, trace });
            }
        };
        if let Some(dropped) = setting.rules.act {
            let view = self.party.view();
            act.duties.retain(|duty| match duty {
                Duty::Broadcast { name, .. } => !dropped(view, name),
                Duty::Compute { .. } => true,
            });
        }
        Ok(act)
    }
}
