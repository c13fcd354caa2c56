//! The figures for people.

use super::Report;
use super::figures::{Figures, Side};
use super::scaling::Point;
use crate::table::{Table, grouped};

pub(super) fn text(report: &Report) -> String {
    let sizes = report.sizes;
    let machine = &report.machine;
    let processor = machine.processor.as_deref().unwrap_or("unknown processor");
    let mut out = format!(
        "{processor}, {} cores; {} threads, {} accounts, {} calls in batches of {}\n",
        machine.cores,
        sizes.threads,
        grouped(sizes.accounts.into()),
        grouped(sizes.calls as u64),
        grouped(sizes.batch as u64),
    );
    if !machine.optimised {
        out.push_str("This is no release build: all figures are too low.\n");
    }
    out.push_str("\nCalls per second\n");
    out.push_str(&rates(&report.workloads).text());
    out.push_str("\nOf runs that took turns\n");
    out.push_str(&ratios(&report.workloads).text());
    if let Some(scaling) = &report.scaling {
        out.push_str("\nPayments, states of several sizes\n");
        out.push_str(&points(&scaling.by_cells).text());
        out.push_str("\nPayments, batches of several sizes\n");
        out.push_str(&points(&scaling.by_batch).text());
    }
    out.push_str(&format!(
        "\nInstructions per call: {}.\n",
        machine.instructions
    ));
    out
}

fn rates(all: &[Figures]) -> Table {
    let mut table = Table::new(&[
        "workload",
        "<by",
        "T0 execution",
        "T1 + root",
        "T2 + signatures",
        "T2 bundled",
        "T2 known",
        "T3 + disk",
    ]);
    for one in all {
        let sides = [
            ("plain interpreter", &one.plain),
            ("engine, 1 thread", &one.one),
            ("engine, all threads", &one.all),
        ];
        for (n, (by, side)) in sides.into_iter().enumerate() {
            let name = if n == 0 { one.workload.name() } else { "" };
            table.row(
                [name.to_owned(), by.to_owned()]
                    .into_iter()
                    .chain(tiers(side)),
            );
        }
    }
    table
}

fn tiers(side: &Side) -> [String; 6] {
    let t3 = side.t3.map(grouped);
    [
        grouped(side.t0),
        grouped(side.t1),
        grouped(side.t2),
        grouped(side.t2_bundled),
        grouped(side.t2_known),
        t3.unwrap_or_default(),
    ]
}

fn ratios(all: &[Figures]) -> Table {
    let mut table = Table::new(&[
        "workload",
        "1 : plain",
        "all : plain",
        "all : 1",
        "T1 : T0",
        "T0 cold",
        "T3 : T2 known",
        "signatures",
        "done",
        "cells",
        "changed",
        "<run",
    ]);
    for one in all {
        let two = |n: f64| format!("{n:.2}");
        let report = &one.report;
        let run = match report.in_order {
            Some(why) => format!("in order: {why:?}").to_lowercase(),
            None => format!("{} sums, {} deferred", report.sums, report.deferred),
        };
        let ratios = one.ratios;
        table.row([
            one.workload.name().to_owned(),
            two(ratios.one_to_plain),
            two(ratios.all_to_plain),
            two(ratios.all_to_one),
            two(ratios.root),
            grouped(one.cold),
            ratios.durable.map(two).unwrap_or_default(),
            two(one.signatures_per_call),
            format!("{:.1} %", 100.0 * one.done as f64 / one.calls.max(1) as f64),
            grouped(one.cells),
            grouped(one.changed),
            run,
        ]);
    }
    table
}

fn points(points: &[Point]) -> Table {
    let mut table = Table::new(&["cells", "batch", "T0", "T1", "execution, ns", "root, ns"]);
    for point in points {
        let all = [
            point.cells,
            point.batch,
            point.t0,
            point.t1,
            point.execute_ns,
            point.root_ns,
        ];
        table.row(all.map(grouped));
    }
    table
}
