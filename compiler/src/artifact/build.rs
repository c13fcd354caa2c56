//! From a compiled contract to its artifact.

use super::{
    AbortInfo, Artifact, AttestorInfo, BodyInfo, COMPILER, CoinInfo, Compiled, ContractInfo,
    ElementInfo, FORMAT, InputInfo, OutcomeInfo, Payment, ProgramInfo, SegmentInfo, VERSION,
};
use crate::contract::{Arm, Contract};
use crate::script::leaf::disprove::{elements_of, items, prefix_len, witness_len};
use crate::segment::{Budget, Plan, Segment};
use crate::sources::Sources;
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
            program: program_info(&self.contract.program, &self.plan, &self.sources),
            elements: elements(&self.plan),
            input_groups: indices(&self.plan.input_groups),
            frame_groups: indices(&self.plan.frame_groups),
            segments: (0..self.plan.segments.len())
                .filter_map(|n| self.segment(n))
                .collect(),
            source: self.sources.main().text().to_owned(),
            files: libraries(&self.sources),
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
        let (file, lines) = place_of(&self.sources, &self.plan.program, segment);
        Some(SegmentInfo {
            file,
            lines,
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

/// The text of each library that was given, by its path from the main file.
fn libraries(sources: &Sources) -> BTreeMap<String, String> {
    let others = sources.files().skip(1);
    others
        .map(|file| (file.name().to_owned(), file.text().to_owned()))
        .collect()
}

/// The library that a span is in, if it isn't in the main file.
pub fn library_at(sources: &Sources, span: Span) -> Option<String> {
    let file = sources.file_at(span.start);
    (file.base() != 0).then(|| file.name().to_owned())
}

/// The file and the lines that a segment comes from: of the main file, if any of it does.
fn place_of(
    sources: &Sources,
    program: &Program,
    segment: &Segment,
) -> (Option<String>, Option<[usize; 2]>) {
    let insts = program.insts.get(segment.insts.clone());
    let spans = insts.unwrap_or_default().iter().map(|inst| inst.span);
    let spans = spans.filter(|span| span.end > span.start);
    let Some(first) = spans.clone().min_by_key(|span| span.start) else {
        return (None, None);
    };
    let base = sources.file_at(first.start).base();
    let same = spans.filter(|span| sources.file_at(span.start).base() == base);
    let end = same.map(|span| span.end).max();
    let span = Span {
        end: end.unwrap_or(first.end),
        ..first
    };
    (library_at(sources, first), sources.lines(span))
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

fn program_info(program: &Program, plan: &Plan, sources: &Sources) -> ProgramInfo {
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
                file: library_at(sources, abort.span),
                line: sources.lines(abort.span).map_or(1, |[first, _]| first),
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
        Op::MulWide(..) => "mul_wide",
        Op::DivWide(..) => "div_wide",
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
