//! What a run came to, for people.

use gavel_prover::Claim;
use gavel_prover::engine::{InOrder, Report};

use super::summary::Summary;
use crate::table::{Table, grouped};

/// The summary.
pub(super) fn text(summary: &Summary) -> String {
    let mut text = format!(
        "{}, {}: {} done, {} aborted, {} refused{}; {} undecodable\n",
        counted(summary.batches, "batch", "batches"),
        counted(summary.calls, "call", "calls"),
        grouped(summary.done),
        grouped(summary.aborted),
        grouped(summary.refused.values().sum()),
        reasons(summary),
        grouped(summary.undecodable),
    );
    text.push_str(&format!("root before  {}\n", summary.root_before));
    text.push_str(&format!("root after   {}\n", summary.root_after));
    if summary.calls == 0 {
        return text;
    }
    let mut table = Table::new(&["step", "seconds", "calls/s"]);
    for step in &summary.steps {
        table.row([
            step.step.to_owned(),
            format!("{:.3}", step.seconds),
            grouped(step.calls_per_second),
        ]);
    }
    table.row([
        "all".to_owned(),
        format!("{:.3}", summary.seconds),
        grouped(summary.calls_per_second),
    ]);
    text.push_str(&table.text());
    text.push_str(&format!(
        "Steps overlap; prepare checks {}; {}.\n",
        counted(summary.signatures, "signature", "signatures"),
        counted(summary.threads as u64, "thread", "threads"),
    ));
    text
}

/// `1 batch`, `2_000 batches`
fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// ` (nonce 2, signature 1)`
fn reasons(summary: &Summary) -> String {
    let reasons = summary.refused.iter();
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{reason} {}", grouped(*count)))
        .collect();
    match reasons.is_empty() {
        true => String::new(),
        false => format!(" ({})", reasons.join(", ")),
    }
}

/// How a batch was scheduled.
pub(super) fn explained(claim: &Claim, report: &Report) -> String {
    let how = match report.in_order {
        Some(why) => format!("in order: {}", reason(why)),
        None => format!("{} pieces of work", grouped(report.tasks)),
    };
    format!(
        "batch {}: {} calls ran ({} exact, {} superset, {} dynamic), {how}\n  \
         {} cells, of them {} sums, {} where calls wait; {} groups, the longest of {} calls, {}.{} % \
         of the work; {} run again",
        claim.batch,
        grouped(report.admitted),
        grouped(report.exact),
        grouped(report.superset),
        grouped(report.dynamic),
        grouped(report.cells),
        grouped(report.sums),
        grouped(report.conflicts),
        grouped(report.components),
        grouped(report.longest),
        report.longest_share / 10,
        report.longest_share % 10,
        grouped(report.deferred),
    )
}

fn reason(why: InOrder) -> &'static str {
    match why {
        InOrder::OneThread => "there is one thread",
        InOrder::Dependent => "most calls depend on each other",
        InOrder::Expected => "the batches before were like that",
        InOrder::Sums => "sums didn't fit in any order",
        InOrder::Foreseen => "a call touched what wasn't foreseen",
    }
}
