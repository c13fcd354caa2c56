//! A sample instance of a contract: the whole graph with keys that everybody can compute, to
//! show sizes, costs and trees before any party exists. **Never fund it.**

use crate::deploy::{DeployError, Deployment, PublicOneTimeKeys, Terms};
use crate::graph::{Graph, Role as Output, TxName};
use crate::sign::{FundingInput, Hello, OneTimeKeys, Role, Seed};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{OutPoint, ScriptBuf, Txid};
use gavel_compiler::contract::Contract;
use gavel_compiler::segment::Plan;
use gavel_compiler::units::Sats;
use gavel_compiler::word::Author;

/// What each party of the sample brings: more than any deployment needs.
const PLENTY: Sats = Sats(1 << 44);

/// The sample's graph. Every size in it is that of any real instance with one P2TR input per
/// party.
///
/// # Errors
/// Whatever would make a real deployment fail for its contract or terms.
pub fn sample(contract: Contract, plan: Plan, terms: Terms) -> Result<Graph, DeployError> {
    let n = contract.parties.len() as u8;
    let seeds: Vec<Seed> = (0..n).map(seed).collect();
    let mut hellos = Vec::with_capacity(seeds.len());
    for (party, seed) in (0..n).zip(&seeds) {
        let key = seed.party_key(&contract.id).public();
        let script = ScriptBuf::new_p2tr(&Secp256k1::verification_only(), key, None);
        let outpoint = OutPoint::new(Txid::from_byte_array([party + 1; 32]), 0);
        hellos.push(Hello {
            party,
            contract: contract.id,
            nonce: [party; 32],
            key,
            payout: script.clone(),
            inputs: vec![FundingInput {
                outpoint,
                amount: PLENTY,
                script,
            }],
            change: None,
        });
    }
    let id = contract.id;
    let deployment = Deployment::new(contract, plan, terms, hellos)?;
    let plan = &deployment.plan;
    let shapes: Vec<_> = (0..).zip(plan.elements.iter().map(|e| e.shape())).collect();
    let keys = (0..n).zip(&seeds).map(|(party, seed)| {
        let secrets = OneTimeKeys::new(seed, &id, &deployment.instance);
        let author = (0..).zip(&plan.program.inputs).map(|(element, input)| {
            (input.author == Author::Party(party))
                .then(|| secrets.public_key(Role::Author, element, input.author_shape()))
        });
        let author = author.collect();
        PublicOneTimeKeys {
            claimer: secrets.public_keys(Role::Claimer, &shapes),
            author,
        }
    });
    let keys = keys.collect();
    Graph::build(deployment, keys)
}

/// What Fund takes from a party of the sample, its share of the fee included.
pub fn needs(graph: &Graph, party: u8) -> Option<Sats> {
    let fund = graph.get(TxName::Fund)?;
    let change = fund
        .outputs
        .iter()
        .find(|o| o.role == Output::Payment { party })?;
    PLENTY.checked_sub(change.value())
}

/// A sample party's secret, which is none.
pub fn seed(party: u8) -> Seed {
    Seed::from_bytes(
        &sha256::Hash::hash(&[b"gavel/sample/".as_slice(), &[party]].concat()).to_byte_array(),
    )
}
