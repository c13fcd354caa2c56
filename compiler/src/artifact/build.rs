//! From a compiled contract to its artifact.

use super::{
    AbortInfo, Artifact, AttestorInfo, BodyInfo, COMPILER, CoinInfo, Compiled, ContractInfo,
    ElementInfo, FORMAT, InputInfo, OutcomeInfo, Payment, ProgramInfo, SegmentInfo, VERSION,
};
use crate::contract::{Arm, Contract};
use crate::script::leaf::disprove::{elements_of, items, prefix_len, witness_len};
use crate::segment::{Budget, Plan, Segment};
use crate::units::Weight;
use crate::word::{Author, Op, Program, Span};
use bitcoin::hex::DisplayHex;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

impl Compiled {
    /// The artifact of this contract.
    pub fn artifact(&self) -> Artifact {
        let indices = |groups: &[Vec<crate::segment::ElementId>]| {
            groups
                .iter()
                .map(|group| group.iter().map(|id| id.index()).collect())
                .collect()
        };
        let mut artifact = Artifact {
            format: FORMAT,
            version: VERSION,
            compiler: COMPILER,
            digest: String::new(),
            params: self.params.clone().into_iter().collect(),
            options: self.options,
            contract: contract_info(&self.contract),
            program: program_info(&self.contract.program, &self.plan, &self.source),
            elements: elements(&self.plan),
            input_groups: indices(&self.plan.input_groups),
            frame_groups: indices(&self.plan.frame_groups),
            segments: (0..self.plan.segments.len())
                .filter_map(|n| self.segment(n))
                .collect(),
            source: self.source.clone(),
        };
        let text = serde_json::to_string(&artifact).unwrap_or_default();
        artifact.digest = sha256(text.as_bytes());
        artifact
    }

    /// What a segment is and takes; `None` if there is no such segment.
    pub fn segment(&self, n: usize) -> Option<SegmentInfo> {
        let segment = self.plan.segments.get(n)?;
        let bodies = self.bodies.get(n)?;
        let (_, shapes) = elements_of(&self.plan, n).ok()?;
        let outcomes = &self.contract.program.outcomes;
        let last = n + 1 == self.plan.segments.len();
        let challengers = self.contract.parties.len().saturating_sub(1);
        let longest = bodies.iter().map(|body| body.script.len()).max()?;
        let leaf_bytes = prefix_len(&shapes, challengers) + longest;
        let witness_bytes = witness_len(&shapes, challengers);
        let overhead = Budget::default().overhead.0;
        Some(SegmentInfo {
            lines: lines_of_segment(&self.source, &self.plan.program, segment),
            operations: [segment.insts.start, segment.insts.end],
            reads: segment.reads.iter().map(|id| id.index()).collect(),
            writes: segment.writes.iter().map(|id| id.index()).collect(),
            bodies: bodies
                .iter()
                .enumerate()
                .map(|(k, body)| BodyInfo {
                    outcome: outcomes.get(k).filter(|_| last).cloned(),
                    bytes: body.script.len(),
                    sha256: sha256(&body.script),
                    peak_stack: body.peak,
                })
                .collect(),
            leaf_bytes,
            witness_bytes,
            witness_items: items(&shapes, challengers),
            spend_weight: Weight((leaf_bytes + witness_bytes) as u64 + overhead),
            peak_stack: bodies.iter().map(|body| body.peak).max()?,
        })
    }
}

/// The lines of a span, from 1; `None` for the empty span of what comes from no source.
pub fn lines(source: &str, span: Span) -> Option<[usize; 2]> {
    if span.end <= span.start {
        return None;
    }
    let line = |at: u32| {
        let before = source.as_bytes().get(..at as usize)?;
        Some(1 + before.iter().filter(|byte| **byte == b'\n').count())
    };
    Some([line(span.start)?, line(span.end - 1)?])
}

fn lines_of_segment(source: &str, program: &Program, segment: &Segment) -> Option<[usize; 2]> {
    let insts = program.insts.get(segment.insts.clone())?;
    let spans = insts.iter().filter(|inst| inst.span.end > inst.span.start);
    let span = Span {
        start: spans.clone().map(|inst| inst.span.start).min()?,
        end: spans.map(|inst| inst.span.end).max()?,
    };
    lines(source, span)
}

fn contract_info(contract: &Contract) -> ContractInfo {
    let party = |n: u8| {
        let name = contract.parties.get(usize::from(n));
        name.cloned().unwrap_or_else(|| format!("party {n}"))
    };
    let payments = |arms: &[Arm]| -> Vec<Payment> {
        let payment = |arm: &Arm| Payment {
            party: party(arm.party),
            sats: arm.amount,
        };
        arms.iter().map(payment).collect()
    };
    let from = |author: Author| match author {
        Author::Anyone => "anyone".to_owned(),
        Author::Party(n) => party(n),
        Author::Attestor(n) => {
            let attestor = contract.attestors.get(usize::from(n));
            attestor.map_or_else(|| format!("attestor {n}"), |a| a.name.clone())
        }
    };
    let coin = &contract.coin;
    let outcomes = &contract.program.outcomes;
    let funded = (0..).zip(&coin.fund).filter(|(_, sats)| sats.0 > 0);
    ContractInfo {
        name: contract.name.clone(),
        id: contract.id.to_lower_hex_string(),
        parties: contract.parties.clone(),
        attestors: contract
            .attestors
            .iter()
            .map(|attestor| AttestorInfo {
                name: attestor.name.clone(),
                digits: attestor.words.clone(),
                key: attestor
                    .key
                    .0
                    .iter()
                    .map(|end| end.to_lower_hex_string())
                    .collect(),
            })
            .collect(),
        outcomes: outcomes.clone(),
        inputs: contract
            .inputs
            .iter()
            .map(|input| InputInfo {
                name: input.name.clone(),
                ty: input.ty.clone(),
                from: from(input.author),
            })
            .collect(),
        coin: CoinInfo {
            name: coin.name.clone(),
            fund: funded
                .map(|(n, sats)| Payment {
                    party: party(n),
                    sats: *sats,
                })
                .collect(),
            pay: outcomes
                .iter()
                .zip(&coin.pay)
                .map(|(outcome, arms)| OutcomeInfo {
                    outcome: outcome.clone(),
                    payments: payments(arms),
                })
                .collect(),
            refund_after: coin.refund_after.0,
            refund: payments(&coin.refund),
        },
    }
}

fn program_info(program: &Program, plan: &Plan, source: &str) -> ProgramInfo {
    let mut by_kind = BTreeMap::new();
    for inst in &plan.program.insts {
        *by_kind.entry(kind(&inst.op)).or_insert(0) += 1;
    }
    ProgramInfo {
        operations: program.insts.len(),
        legalised: plan.program.insts.len(),
        by_kind,
        input_words: program.input_words(),
        aborts: program
            .aborts
            .iter()
            .map(|abort| AbortInfo {
                error: abort.name.clone(),
                line: lines(source, abort.span).map_or(1, |[first, _]| first),
            })
            .collect(),
    }
}

fn elements(plan: &Plan) -> Vec<ElementInfo> {
    plan.elements
        .iter()
        .map(|element| ElementInfo {
            name: element.name.clone(),
            values: element.words.iter().map(|word| word.value.0).collect(),
            digits: element.digits(),
            message: element.shape().message,
            checksum: element.shape().checksum(),
        })
        .collect()
}

/// The name of an operation, as `gavel compile --emit ir` prints it.
pub fn kind(op: &Op) -> &'static str {
    match op {
        Op::Const(_) => "const",
        Op::Input(_) => "input",
        Op::Add(..) => "add",
        Op::Sub(..) => "sub",
        Op::MulLo(..) => "mul_lo",
        Op::MulHi(..) => "mul_hi",
        Op::Div(..) => "div",
        Op::Rem(..) => "rem",
        Op::And(..) => "and",
        Op::Or(..) => "or",
        Op::Xor(..) => "xor",
        Op::Not(_) => "not",
        Op::Shl(..) => "shl",
        Op::Shr(..) => "shr",
        Op::Rotr(..) => "rotr",
        Op::Bswap(_) => "bswap",
        Op::Eq(..) => "eq",
        Op::Lt(..) => "lt",
        Op::Select(..) => "select",
        Op::Sha256 { .. } => "sha256_compress",
        Op::Blake3 { .. } => "blake3_compress",
        Op::AbortIf(..) => "abort_if",
        Op::State(state) => state.kind(),
    }
}

fn sha256(bytes: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    hash.to_lower_hex_string()
}
