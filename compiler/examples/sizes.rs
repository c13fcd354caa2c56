//! Sizes of bodies.
use gavel_compiler::script::body::{Job, generate};
use gavel_compiler::segment::CommittedWord;
use gavel_compiler::word::*;
fn element(name: &str, words: usize) -> InputElement {
    InputElement { name: name.to_owned(), words: vec![8; words], author: Author::Anyone, optional: false }
}
fn measure(name: &str, f: impl Fn(&mut Builder, &[Value]) -> Vec<Value>, words: usize) {
    let mut b = Builder::new();
    let inputs = b.input(element("in", words));
    let outs = f(&mut b, &inputs);
    let mut any = b.constant(1);
    for out in &outs { let eq = b.push(Op::Eq(*out, inputs[0])); any = b.and_bool(any, eq); }
    let program = legalise::legalise(&b.finish(any, vec!["x".into(), "y".into()]));
    let bits = program.bits();
    // legalise renumbers: results are the last instruction's.
    let at = program.insts.iter().rposition(|i| i.op.results() == 8).map(|n| program.insts[n].first.0);
    let outs: Vec<Value> = match at { Some(first) => (0..8).map(|n| Value(first + n)).collect(), None => outs };
    let word = |v: &Value| CommittedWord { value: *v, digits: 8 };
    let reads: Vec<_> = program.insts.iter().filter(|i| matches!(i.op, Op::Input(_))).map(|i| word(&i.first)).collect();
    let writes: Vec<_> = outs.iter().map(word).collect();
    let (script, peak) = generate(&Job { program: &program, bits: &bits, insts: 0..program.insts.len(), reads: &reads, writes: &writes, claimed: None }).unwrap();
    println!("{name}: {} bytes, peak {} (reads {} writes {})", script.len(), peak.0, reads.len(), writes.len());
    if std::env::args().nth(1).as_deref() == Some(name) {
        println!("{}", gavel_compiler::script::print_asm(&script));
    }
}
fn main() {
    let iv: [u32; 8] = [0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19];
    let array = |w: &[Value], at: usize| std::array::from_fn::<Value, 16, _>(|n| w[at + n]);
    measure("blake3-iv", |b, w| { let cv = iv.map(|n| b.constant(n)); b.compress(Op::Blake3 { cv, block: array(w, 0), counter: [0, 0], block_len: 64, flags: 11 }).to_vec() }, 16);
    measure("blake3-cv", |b, w| { let cv = std::array::from_fn(|n| w[n]); b.compress(Op::Blake3 { cv, block: array(w, 8), counter: [0, 0], block_len: 64, flags: 11 }).to_vec() }, 24);
    measure("sha256-iv", |b, w| { let state = iv.map(|n| b.constant(n)); b.compress(Op::Sha256 { state, block: array(w, 0) }).to_vec() }, 16);
    measure("sha256-cv", |b, w| { let state = std::array::from_fn(|n| w[n]); b.compress(Op::Sha256 { state, block: array(w, 8) }).to_vec() }, 24);
}
