//! The costs for people.

use super::report::Report;
use crate::commands::compile::lines;
use crate::table::{Table, grouped};

/// The report as text.
pub(super) fn text(report: &Report) -> String {
    let terms = &report.terms;
    let how = if report.single_leaf {
        "one leaf decides a dispute"
    } else {
        "a dispute goes Claim, Challenge, Assert, Disprove"
    };
    let mut out = format!(
        "contract {}: {}, pot {} sats; fees at {} sat/vB, promised up to {} sat/vB\n",
        report.contract,
        how,
        grouped(report.pot.0),
        terms.relay_feerate,
        terms.survive_feerate
    );
    let mut part = |title: &str, table: Table| {
        out.push_str(&format!("\n{title}\n{}", table.text()));
    };
    part(
        "What each party brings (sats; all but the pot and fees comes back to the honest)",
        brings(report),
    );
    part(
        "Transactions (the largest of each kind)",
        transactions(report),
    );
    part("Segments", segments(report));
    part("Paths (at most; fees in sats)", paths(report));
    part("Deadlines", deadlines(report));
    let off = &report.off_chain;
    out.push_str(&format!(
        "\nOff-chain, per party: sends {} bytes of one-time keys and {} of nonces and partial \
         signatures to each other party;\nkeeps {} bytes of signatures ({} signatures on {} \
         transactions).\n",
        grouped(off.key_bytes),
        grouped(off.signing_bytes),
        grouped(off.kept_bytes),
        grouped(off.joint_signatures as u64),
        grouped(off.transactions as u64),
    ));
    for warning in &report.warnings {
        out.push_str(&format!("\nwarning: {warning}"));
    }
    if !report.warnings.is_empty() {
        out.push('\n');
    }
    out
}

fn brings(report: &Report) -> Table {
    let mut table = Table::new(&["party", "pot", "bond and fees", "stakes", "in all"]);
    for party in &report.parties {
        table.row([
            party.party.clone(),
            grouped(party.funds.0),
            grouped(party.claim.0),
            grouped(party.stakes.0),
            grouped(party.total.0),
        ]);
    }
    let amounts = &report.amounts;
    table.row([
        "(each bond)".to_owned(),
        String::new(),
        grouped(amounts.bond.0),
    ]);
    if !report.single_leaf {
        table.row([
            "(each stake)".to_owned(),
            String::new(),
            String::new(),
            grouped(amounts.stake.0),
        ]);
    }
    table.row(["(reserve)".to_owned(), grouped(amounts.reserve.0)]);
    table
}

fn transactions(report: &Report) -> Table {
    let rates = [report.terms.relay_feerate, report.terms.survive_feerate];
    let fees = rates.map(|rate| format!("at {rate} sat/vB"));
    let [relay, survive] = fees;
    let mut table = Table::new(&["name", "pre-signed", "WU", "vB", &relay, &survive, "<by"]);
    for kind in &report.transactions {
        table.row([
            kind.name.to_owned(),
            kind.presigned.to_string(),
            grouped(kind.weight.0),
            grouped(kind.vbytes.0),
            grouped(kind.relay_fee.0),
            grouped(kind.survive_fee.0),
            kind.by.to_owned(),
        ]);
    }
    table
}

fn segments(report: &Report) -> Table {
    let mut table = Table::new(&[
        "segment",
        "lines",
        "body B",
        "leaf B",
        "Disprove WU",
        "vB",
        "peak stack",
        "reads",
        "writes",
    ]);
    for (n, segment) in (1..).zip(&report.segments) {
        let info = &segment.info;
        let body = info.bodies.iter().map(|body| body.bytes).max();
        table.row([
            format!("{n}"),
            lines(info),
            grouped(body.unwrap_or(0) as u64),
            grouped(info.leaf_bytes as u64),
            grouped(segment.disprove_weight.0),
            grouped(segment.disprove_vbytes.0),
            info.peak_stack.0.to_string(),
            format!("{} words", segment.read_words),
            format!("{} words", segment.written_words),
        ]);
    }
    table
}

fn paths(report: &Report) -> Table {
    let rates = [report.terms.relay_feerate, report.terms.survive_feerate];
    let [relay, survive] = rates.map(|rate| format!("at {rate} sat/vB"));
    let mut table = Table::new(&[
        "path",
        "vB",
        &relay,
        &survive,
        "blocks",
        "<paid by",
        "<transactions",
    ]);
    for path in &report.paths {
        table.row([
            path.name.to_owned(),
            grouped(path.vbytes.0),
            grouped(path.relay_fees.0),
            grouped(path.survive_fees.0),
            grouped(u64::from(path.blocks)),
            path.paid_by.to_owned(),
            path.transactions.join(" "),
        ]);
    }
    table
}

fn deadlines(report: &Report) -> Table {
    let mut table = Table::new(&["what", "blocks", "hours"]);
    for deadline in &report.deadlines {
        table.row([
            deadline.what.to_owned(),
            grouped(u64::from(deadline.blocks.0)),
            format!("{:.0}", deadline.hours),
        ]);
    }
    table
}
