//! What V8 compiles of a module in Envoy, by the rule by which it inlines there.
//!
//! Envoy runs V8 with `--no-liftoff`, in which every direct call is inlined in the order of the
//! code, together with the calls inside, while the function called is smaller than what is left of
//! the caller's budget, at most [`MOST_INLINED`] times (`should_inline` in V8's
//! `src/wasm/turboshaft-graph-interface.cc`).

use wasmparser::{BinaryReaderError, FunctionBody, Operator, Parser, Payload, TypeRef};

/// Bytes of code.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Compiled {
    /// What the module holds.
    pub own: usize,
    /// Copies of it, put where it is called.
    pub inlined: usize,
}

/// What V8 compiles of a module.
pub fn in_envoy(bytes: &[u8]) -> Result<Compiled, BinaryReaderError> {
    let mut functions = Vec::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if matches!(import?.ty, TypeRef::Func(_)) {
                        functions.push(Function::default());
                    }
                }
            }
            Payload::CodeSectionEntry(body) => functions.push(Function::read(&body)?),
            _ => {}
        }
    }
    let mut compiled = Compiled::default();
    for function in &functions {
        let mut left = Budget {
            bytes: function.size * GROWTH,
            functions: MOST_INLINED,
        };
        compiled.own += function.size;
        compiled.inlined += inlined(function, &functions, &mut left);
    }
    Ok(compiled)
}

/// A function; an imported one is empty, and V8 inlines none.
#[derive(Default)]
struct Function {
    size: usize,
    /// The functions that it calls directly, in order.
    calls: Vec<usize>,
}

impl Function {
    fn read(body: &FunctionBody<'_>) -> Result<Self, BinaryReaderError> {
        let mut calls = Vec::new();
        for operator in body.get_operators_reader()? {
            if let Operator::Call { function_index } = operator? {
                calls.push(usize::try_from(function_index).expect("an index"));
            }
        }
        let size = body.range().len();
        Ok(Self { size, calls })
    }
}

struct Budget {
    bytes: usize,
    functions: usize,
}

fn inlined(function: &Function, functions: &[Function], left: &mut Budget) -> usize {
    let mut bytes = 0;
    for call in &function.calls {
        let callee = &functions[*call];
        if callee.size > 0 && callee.size < left.bytes && left.functions > 0 {
            left.bytes -= callee.size;
            left.functions -= 1;
            bytes += callee.size + inlined(callee, functions, left);
        }
    }
    bytes
}

/// A function's budget in times of its own size, where fewer than a quarter of the module's
/// functions are small.
const GROWTH: usize = 2;

/// Functions that are inlined into one.
const MOST_INLINED: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_functions_in_their_budget_are_inlined_and_those_through_the_table_are_not() {
        let nops = "nop ".repeat(40);
        let text = |call: &str| {
            format!(
                "(module (type $none (func)) (import \"env\" \"host\" (func $host)) (table 1 funcref)
                   (func $small nop) (func $large {nops})
                   (func $caller call $host {call} {nops}) (func $tiny {call}))"
            )
        };
        #[rustfmt::skip]
        let cases = [
            // name                             call                                         inlined
            ("small, and large where it fits",  "call $small call $large",                   3 + 42 + 3),
            ("through the table",               "i32.const 0 call_indirect (type $none)",    0),
        ];
        for (name, call, want) in cases {
            let module = wat::parse_str(text(call)).expect("the text of a module");
            let found = in_envoy(&module).expect("a module");
            assert_eq!(found.inlined, want, "{name}");
        }
    }
}
