//! What several test files share: parties without a node, contracts built by hand.
#![allow(dead_code, reason = "each test file uses a part")]

use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::TweakedPublicKey;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use gavel_compiler::units::Sats;
#[allow(unused_imports, reason = "each test file uses a part")]
pub use gavel_tests::Built;
use gavel_tests::Stage;
use gavel_verifier::setup::{Announced, Drawn, Entrant, Keyed, Ready, SetupError, Signed};
use gavel_verifier::sign::rand::{SeedableRng, rngs::StdRng};
use gavel_verifier::sign::{FundingInput, Seed};

pub fn digest(what: &str, party: u8, salt: u64) -> [u8; 32] {
    sha256::Hash::hash(format!("gavel-tests/support/{what}/{party}/{salt}").as_bytes())
        .to_byte_array()
}

/// An example contract.
pub fn example(name: &str) -> Stage {
    let path = format!("{}/../contracts/{name}.gvl", env!("CARGO_MANIFEST_DIR"));
    Stage::load(path).unwrap()
}

/// The names of all example contracts.
pub fn examples() -> Vec<String> {
    let folder = format!("{}/../contracts", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names
        .filter_map(|name| name.strip_suffix(".gvl").map(str::to_owned))
        .collect();
    names.sort();
    names
}

pub fn seed(party: u8, salt: u64) -> Seed {
    Seed::from_bytes(&digest("seed", party, salt))
}

/// What a party brings: one output that exists nowhere, of a key of its own.
pub fn entrant(stage: &Stage, me: u8, salt: u64) -> Entrant {
    let key = seed(me, salt).party_key(&stage.contract.id);
    let key = key.tap_tweak(None).unwrap().public();
    let script = ScriptBuf::new_p2tr_tweaked(TweakedPublicKey::dangerous_assume_tweaked(key));
    Entrant {
        me,
        nonce: digest("nonce", me, salt),
        payout: script.clone(),
        inputs: vec![FundingInput {
            outpoint: OutPoint::new(Txid::from_byte_array(digest("funding", me, salt)), 0),
            amount: Sats(100_000_000),
            script,
        }],
    }
}

/// A party that can be brought to any point of the set-up again: all its randomness is fixed.
#[derive(Clone, Copy)]
pub struct Peer<'a> {
    pub stage: &'a Stage,
    pub me: u8,
    pub salt: u64,
}

type Step<S> = Result<(S, Vec<u8>), SetupError>;

impl Peer<'_> {
    pub fn announced(self) -> Step<Announced> {
        let Stage {
            contract,
            plan,
            terms,
            ..
        } = self.stage;
        let entrant = entrant(self.stage, self.me, self.salt);
        let seed = seed(self.me, self.salt);
        Announced::new(contract.clone(), plan.clone(), terms.clone(), seed, entrant)
    }

    pub fn keyed(self, hellos: &[Vec<u8>]) -> Step<Keyed> {
        self.announced()?.0.hellos(hellos)
    }

    pub fn drawn(self, hellos: &[Vec<u8>], keys: &[Vec<u8>]) -> Step<Drawn> {
        let mut rng = StdRng::from_seed(digest("rng", self.me, self.salt));
        self.keyed(hellos)?.0.one_time_keys(keys, &mut rng)
    }

    pub fn signed(self, hellos: &[Vec<u8>], keys: &[Vec<u8>], nonces: &[Vec<u8>]) -> Step<Signed> {
        self.drawn(hellos, keys)?.0.nonces(nonces)
    }
}

/// All messages of a set-up in which everybody is honest, and the parties at its end.
pub struct Agreed {
    pub hellos: Vec<Vec<u8>>,
    pub keys: Vec<Vec<u8>>,
    pub nonces: Vec<Vec<u8>>,
    pub partials: Vec<Vec<u8>>,
    pub ready: Vec<Ready>,
}

pub fn peers(stage: &Stage, salt: u64) -> Vec<Peer<'_>> {
    (0..stage.contract.parties.len() as u8)
        .map(|me| Peer { stage, me, salt })
        .collect()
}

/// One round: everybody takes all messages of the last.
pub fn round<S, T>(
    states: Vec<S>,
    mut step: impl FnMut(u8, S) -> Step<T>,
) -> Result<(Vec<T>, Vec<Vec<u8>>), SetupError> {
    let stepped = (0..).zip(states).map(|(me, state)| step(me, state));
    Ok(stepped.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
}

pub fn agree(stage: &Stage, salt: u64) -> Agreed {
    agree_all(&peers(stage, salt)).unwrap()
}

/// As [`agree`], with parties that need not be of one mind.
pub fn agree_all(peers: &[Peer]) -> Result<Agreed, SetupError> {
    let (announced, hellos) = round(peers.to_vec(), |_, peer| peer.announced())?;
    let (keyed, keys) = round(announced, |_, state| state.hellos(&hellos))?;
    let salt = peers[0].salt;
    let (drawn, nonces) = round(keyed, |me, state| {
        let mut rng = StdRng::from_seed(digest("rng", me, salt));
        state.one_time_keys(&keys, &mut rng)
    })?;
    let (signed, partials) = round(drawn, |_, state| state.nonces(&nonces))?;
    let ready = signed.into_iter().map(|state| state.partials(&partials));
    let ready = ready.collect::<Result<_, _>>()?;
    Ok(Agreed {
        hellos,
        keys,
        nonces,
        partials,
        ready,
    })
}
