//! What was compiled, for people.

use gavel_compiler::artifact::{InputInfo, Payment, SegmentInfo};
use gavel_compiler::value::ValueType;

use crate::contract_file::Loaded;
use crate::table::{Table, grouped};

/// The summary.
pub(super) fn text(loaded: &Loaded) -> String {
    let artifact = loaded.compiled.artifact();
    let contract = &artifact.contract;
    let mut out = format!("contract {} {}\n", contract.name, contract.id);
    let mut line = |name: &str, text: String| {
        out.push_str(&format!("  {name:<10}{text}\n"));
    };
    line("parties", contract.parties.join(", "));
    for attestor in &contract.attestors {
        line("attestor", attestor.name.clone());
    }
    line("outcomes", contract.outcomes.join(", "));
    for input in &contract.inputs {
        line("input", input_text(input));
    }
    let coin = &contract.coin;
    line("coin", format!("{} {}", coin.name, payments(&coin.fund)));
    line(
        "refund",
        format!(
            "after {} blocks {}",
            grouped(u64::from(coin.refund_after)),
            payments(&coin.refund)
        ),
    );
    let program = &artifact.program;
    line(
        "program",
        format!(
            "{} operations, {} when legalised, {} words of inputs",
            grouped(program.operations as u64),
            grouped(program.legalised as u64),
            program.input_words
        ),
    );
    let frames = artifact.elements.len() - loaded.plan().program.inputs.len();
    line(
        "revealed",
        format!(
            "inputs in {} group(s) by a Claim, {frames} frame(s) in {} group(s) by an Assert",
            artifact.input_groups.len(),
            artifact.frame_groups.len(),
        ),
    );
    if !loaded.cases.is_empty() {
        line(
            "examples",
            format!("{} in the play file, all as they say", loaded.cases.len()),
        );
    }
    let mut table = Table::new(&[
        "segment", "lines", "reads", "writes", "body B", "leaf B", "spend WU", "peak",
    ]);
    for (n, segment) in artifact.segments.iter().enumerate() {
        table.row(row(n, segment));
    }
    out.push('\n');
    out.push_str(&table.text());
    out.push_str(&format!("\ndigest {}\n", artifact.digest));
    out
}

fn row(n: usize, segment: &SegmentInfo) -> [String; 8] {
    let longest = segment.bodies.iter().map(|body| body.bytes).max();
    [
        (n + 1).to_string(),
        lines(segment),
        segment.reads.len().to_string(),
        segment.writes.len().to_string(),
        grouped(longest.unwrap_or(0) as u64),
        grouped(segment.leaf_bytes as u64),
        grouped(segment.spend_weight.0),
        segment.peak_stack.0.to_string(),
    ]
}

/// `12-20`, `std/math:12-20` for what comes from a library, or `-` for what comes from no line.
pub(in crate::commands) fn lines(segment: &SegmentInfo) -> String {
    let lines = match segment.lines {
        Some([first, last]) if first == last => first.to_string(),
        Some([first, last]) => format!("{first}-{last}"),
        None => "-".to_owned(),
    };
    match &segment.file {
        Some(file) => format!("{file}:{lines}"),
        None => lines,
    }
}

/// `{ alice: 50_000 sats, bob: 50_000 sats }`
pub(in crate::commands) fn payments(payments: &[Payment]) -> String {
    let each: Vec<String> = payments
        .iter()
        .map(|payment| format!("{}: {} sats", payment.party, grouped(payment.sats.0)))
        .collect();
    format!("{{ {} }}", each.join(", "))
}

fn input_text(input: &InputInfo) -> String {
    format!(
        "{}: {} from {}",
        input.name,
        type_name(&input.ty),
        input.from
    )
}

fn type_name(ty: &ValueType) -> String {
    match ty {
        ValueType::Bool => "bool".to_owned(),
        ValueType::U8 => "u8".to_owned(),
        ValueType::U16 => "u16".to_owned(),
        ValueType::U32 => "u32".to_owned(),
        ValueType::U64 => "u64".to_owned(),
        ValueType::U128 => "u128".to_owned(),
        ValueType::Sats => "sats".to_owned(),
        ValueType::Height => "height".to_owned(),
        ValueType::Hash => "hash".to_owned(),
        ValueType::Pubkey => "pubkey".to_owned(),
        ValueType::Signature => "signature".to_owned(),
        ValueType::Bytes(n) => format!("bytes<{n}>"),
        ValueType::Enum(variants) => format!("enum {{ {} }}", variants.join(", ")),
        ValueType::Option(inner) => format!("Option<{}>", type_name(inner)),
        ValueType::Array(element, n) => format!("[{}; {n}]", type_name(element)),
        ValueType::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, ty)| format!("{name}: {}", type_name(ty)));
            format!("struct {{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        ValueType::Tuple(types) => {
            let types: Vec<String> = types.iter().map(type_name).collect();
            format!("({})", types.join(", "))
        }
        ValueType::Data(variants) => {
            let variants: Vec<&str> = variants.iter().map(|(name, _)| name.as_str()).collect();
            format!("enum {{ {} }}", variants.join(", "))
        }
    }
}
