//! Sources that try to make the front end do more than a source of their size is worth.

#![allow(dead_code, missing_docs)]

/// What kind of source, and one that repeats something so many times.
pub type Kind = (&'static str, fn(usize) -> String);

/// Something for each number below `n`.
fn each(n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).map(part).collect()
}

fn items(items: &str) -> String {
    format!(
        "contract C {{\n    param a: party\n    param b: party\n    enum Outcome {{ Yes, No }}\n{items}\n    \
         settle(x: u32 from a) -> Outcome {{ Yes }}\n    coin pot {{\n        fund a: 1_000 sats\n        \
         pay Yes {{ a: rest }}\n        pay No {{ b: rest }}\n        refund after 10 blocks {{ a: rest }}\n    \
         }}\n}}\n"
    )
}

fn body(body: &str) -> String {
    items("").replace("{ Yes }", &format!("{{\n{body}\nYes }}"))
}

fn function(body: &str) -> String {
    items(&format!("fn f(x: u32) -> u32 {{\n{body}\nx }}"))
}

pub const KINDS: &[Kind] = &[
    ("open brackets", |n| "(".repeat(n)),
    ("open braces", |n| body(&"{ ".repeat(n))),
    ("closing brackets", |n| body(&")".repeat(n))),
    ("a long name", |n| body(&"a".repeat(n))),
    ("a long number", |n| {
        body(&format!("let _y = {}", "9".repeat(n)))
    }),
    ("a long string", |n| {
        body(&format!("let _y = b\"{}\"", "9".repeat(n)))
    }),
    ("a long line", |n| {
        body(&format!("let _y = x{}", " ^ x".repeat(n)))
    }),
    ("a long comment", |n| {
        body(&format!("// {}\n", "é".repeat(n)))
    }),
    ("strings without end", |n| body(&"\"text\n".repeat(n))),
    ("bad characters", |n| body(&"§ ".repeat(n))),
    ("NUL", |n| "\0".repeat(n)),
    ("byte order marks", |n| "\u{feff}".repeat(n)),
    ("line ends", |n| body(&"\r\n".repeat(n))),
    ("semicolons", |n| body(&";".repeat(n))),
    ("commas", |n| body(&format!("f({})", ",".repeat(n)))),
    ("items without names", |n| items(&"param\n".repeat(n))),
    ("unknown names", |n| {
        body(&each(n, |k| format!("let _y = name_{k}\n")))
    }),
    ("near misses", |n| {
        let fns = each(n, |k| {
            format!("fn some_function_{k}(x: u8) -> u8 {{ some_functoin_{k}(x) }}\n")
        });
        items(&fns)
    }),
    ("unknown types", |n| {
        items(&each(n, |k| format!("param p{k}: Missing{k}\n")))
    }),
    ("unknown fields", |n| {
        function(&each(n, |k| format!("let _y = (1, 2).field_{k}\n")))
    }),
    ("one name for all", |n| {
        items(&"fn f(x: u8) -> u8 { x }\n".repeat(n))
    }),
    ("wrong types", |n| body(&"let _y: u8 = true\n".repeat(n))),
    ("wrong operands", |n| body(&"let _y = true + 1\n".repeat(n))),
    ("unused variables", |n| {
        function(&each(n, |k| format!("let y_{k} = 1\n")))
    }),
    ("variables in a chain", |n| {
        let chain = each(n, |k| format!("let y_{} = y_{k}\n", k + 1));
        function(&format!("let y_0 = x\n{chain}"))
    }),
    ("uses of the first variable", |n| {
        function(&format!(
            "let first = x\n{}",
            each(n, |k| format!("let _y_{k} = first\n"))
        ))
    }),
    ("arguments", |n| {
        items(&format!(
            "fn f({}) -> u8 {{ 1 }}",
            each(n, |k| format!("x_{k}: u8, "))
        ))
    }),
    ("enums", |n| {
        items(&each(n, |k| {
            format!("enum E_{k} {{ V_{k} }} const C_{k}: E_{k} = V_{k}\n")
        }))
    }),
    ("variants", |n| {
        items(&format!("enum E {{ {} }}", each(n, |k| format!("V_{k}, "))))
    }),
    ("errors", |n| {
        items(&format!("error {}E", each(n, |k| format!("E_{k}, "))))
    }),
    ("fields", |n| {
        items(&format!(
            "struct S {{ {} }}",
            each(n, |k| format!("f_{k}: u8, "))
        ))
    }),
    ("structs within structs", |n| {
        items(&format!(
            "struct S_0 {{ x: u8 }}\n{}",
            each(n, |k| format!("struct S_{} {{ x: S_{k} }}\n", k + 1))
        ))
    }),
    ("structs that double", |n| {
        let doubled = each(n, |k| {
            format!("struct S_{} {{ x: S_{k}, y: S_{k} }}\n", k + 1)
        });
        items(&format!("struct S_0 {{ x: u8 }}\n{doubled}"))
    }),
    ("constants in a chain", |n| {
        items(&format!(
            "const C_0: u8 = 1\n{}",
            each(n, |k| format!("const C_{}: u8 = C_{k}\n", k + 1))
        ))
    }),
    ("calls in a chain", |n| {
        let chain = each(n, |k| {
            format!("fn f_{}(x: u8) -> u8 {{ f_{k}(x) }}\n", k + 1)
        });
        items(&format!("fn f_0(x: u8) -> u8 {{ x }}\n{chain}"))
    }),
    ("calls in a ring", |n| {
        items(&each(n, |k| {
            format!("fn f_{k}(x: u8) -> u8 {{ f_{}(x) }}\n", (k + 1) % n)
        }))
    }),
    ("calls of one another", |n| {
        let calls = each(20, |c| format!("f_{c}(x) ^ "));
        items(&each(n, |k| {
            format!(
                "fn f_{k}(x: u8) -> u8 {{ {calls}f_{}(x) }}\n",
                (k * 7 + 1) % n
            )
        }))
    }),
    ("arms", |n| {
        function(&format!(
            "let _y = match x {{ {}_ => 0 }}",
            each(n, |k| format!("{k} => {k}, "))
        ))
    }),
    ("array elements", |n| {
        function(&format!("let _y = [{}1]", "x, ".repeat(n)))
    }),
    ("requirements", |n| {
        body(&each(n, |k| format!("assert x != {k}\n")))
    }),
    ("assignments", |n| {
        body(&format!("let mut y = x\n{}", "y = y ^ 1\n".repeat(n)))
    }),
    ("nested branches", |n| {
        body(&each(n, |k| format!("if x == {k} {{ assert x > 1 }}\n")))
    }),
    ("loops", |n| {
        body(&"for i in 0..9 { assert x != i }\n".repeat(n))
    }),
    ("tests", |n| {
        items(&each(n, |k| {
            format!("test \"t {k}\" {{ assert {k} == {k} }}\n")
        }))
    }),
    ("funds", |n| {
        items("").replace("fund a: 1_000 sats", &"fund a: 1_000 sats\n".repeat(n))
    }),
    ("else ifs", |n| {
        function(&format!(
            "if x == 0 {{ }}{}",
            " else if x == 1 { }".repeat(n)
        ))
    }),
];
