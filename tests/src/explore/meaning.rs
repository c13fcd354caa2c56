//! What each way of spending an output means, declared once: whose signatures it wants, which
//! evidence, how deep the output must be. The explorer goes by this table and runs no script;
//! `tests/tests/meaning.rs` shows on a real node that every line of it is true, both ways.

use gavel_compiler::units::Blocks;
use gavel_verifier::deploy::{Deployment, Locks};
use gavel_verifier::graph::{DisputeId, Planned, Role, Signer, Spend, TxName};

/// A leaf, or the key path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// By the output's key.
    Key,
    /// Reveals a group of inputs.
    Inputs,
    /// Reveals a group of frames.
    Frames,
    /// A challenger's stake into a Challenge.
    Challenge,
    /// The bond back to its claimer.
    Release,
    /// A disprove leaf.
    Disprove,
    /// One party, after a lock.
    Timeout,
}

/// Something that a spend must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The n-of-n's signature, which exists for the graph's own transactions only.
    Joint,
    /// A party's signature.
    Party(u8),
    /// The signature of any party but this one.
    AnyBut(u8),
    /// This claimer's one-time signatures on a group of inputs, and each author's on the same
    /// values.
    Inputs(u8),
    /// This claimer's one-time signatures on a group of frames.
    Frames(u8),
    /// One-time signatures of this claimer that show a lie in a claim of this outcome.
    Lie(u8, u8),
    /// The output is this deep.
    Depth(Blocks),
}

/// A way to spend an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Which leaf, or the key path.
    pub kind: Kind,
    /// All that it wants.
    pub needs: Vec<Need>,
}

impl Way {
    fn new(kind: Kind, needs: impl Into<Vec<Need>>) -> Self {
        Self {
            kind,
            needs: needs.into(),
        }
    }

    /// How deep the output must be by the leaf itself.
    pub fn depth(&self) -> Option<Blocks> {
        self.needs.iter().find_map(|need| match need {
            Need::Depth(lock) => Some(*lock),
            _ => None,
        })
    }

    /// Whether it wants this.
    pub fn wants(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }
}

/// All ways to spend an output of transaction `name` with this role; `bumper` is who may spend
/// a keyed anchor.
pub fn ways(d: &Deployment, name: TxName, role: Role) -> Vec<Way> {
    let locks = d.locks();
    match (name, role) {
        (TxName::Fund, role) => funded(role, &locks),
        (TxName::Claim(id), Role::Claimed) => vec![
            Way::new(Kind::Key, [Need::Joint]),
            Way::new(
                Kind::Release,
                [Need::Joint, Need::Party(id.c), Need::Depth(locks.release)],
            ),
            Way::new(Kind::Disprove, [Need::AnyBut(id.c), Need::Lie(id.c, id.k)]),
        ],
        (TxName::Claim(id), Role::Open { .. }) => vec![
            Way::new(Kind::Key, [Need::Joint]),
            Way::new(
                Kind::Timeout,
                [Need::Party(id.c), Need::Depth(locks.payout)],
            ),
        ],
        (TxName::Challenge(DisputeId { claim, v }), Role::Challenged { .. }) => vec![
            Way::new(Kind::Key, [Need::Joint]),
            Way::new(Kind::Frames, [Need::Joint, Need::Frames(claim.c)]),
            Way::new(Kind::Timeout, [Need::Party(v), Need::Depth(locks.unstake)]),
        ],
        (TxName::Assert(DisputeId { v, .. }), Role::Staked) => vec![
            Way::new(Kind::Key, [Need::Joint]),
            Way::new(Kind::Timeout, [Need::Party(v), Need::Depth(locks.unstake)]),
        ],
        (TxName::PayoutLate(id), Role::Paid { .. }) | (TxName::Release(id), Role::Freed { .. }) => {
            vec![Way::new(Kind::Key, [Need::Party(id.c)])]
        }
        // Payments are their owner's, and anchors nobody's money.
        _ => vec![],
    }
}

fn funded(role: Role, locks: &Locks) -> Vec<Way> {
    match role {
        Role::Vault => vec![Way::new(Kind::Key, [Need::Joint])],
        Role::Bond { c, .. } => vec![
            Way::new(Kind::Inputs, [Need::Party(c), Need::Inputs(c)]),
            Way::new(Kind::Timeout, [Need::Party(c), Need::Depth(locks.refund)]),
        ],
        Role::Stake { v, .. } => vec![
            Way::new(Kind::Challenge, [Need::Joint, Need::Party(v)]),
            Way::new(Kind::Timeout, [Need::Party(v), Need::Depth(locks.refund)]),
        ],
        _ => vec![],
    }
}

/// Which way an input of a planned transaction takes.
pub fn kind(planned: &Planned, input: usize) -> Option<Kind> {
    match &planned.inputs.get(input)?.spend {
        Spend::Key(_, Signer::Joint | Signer::Party(_)) => Some(Kind::Key),
        Spend::Disprove(..) => Some(Kind::Disprove),
        Spend::Funding(_) => None,
        Spend::Leaf(tap, leaf) => {
            use gavel_verifier::connector::LeafKind;
            Some(match tap.leaves.get(*leaf)?.kind {
                LeafKind::Challenge => Kind::Challenge,
                LeafKind::Release => Kind::Release,
                LeafKind::Timeout => Kind::Timeout,
                LeafKind::ClaimReveal(_) => Kind::Inputs,
                LeafKind::AssertReveal(_) => Kind::Frames,
                LeafKind::Disprove => Kind::Disprove,
            })
        }
    }
}
