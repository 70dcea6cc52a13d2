//! Calls that V8 must not inline.
//!
//! Envoy runs V8 with `--no-liftoff`. So configured, V8's optimising compiler knows nothing of how
//! often a call is made, and inlines each direct call in the order of the code, and the calls
//! inside what it inlined, until a function has taken up twice its own size (`NoLiftoffBudget` in
//! V8's `src/wasm/inlining-tree.h`). All of it is compiled before the first request: that was half
//! of the start. What is worth inlining the compiler of the module has inlined.
//!
//! A call through the table is left alone. So functions go into the table, and are called there,
//! but for small ones, which V8 may inline, and for those that are too large for their caller.

use std::collections::HashMap;

use walrus::ir::{
    Call, CallIndirect, Const, Instr, InstrSeq, Value, VisitorMut, dfs_pre_order_mut,
};
use walrus::{
    ConstExpr, ElementItems, ElementKind, FunctionId, LocalFunction, Module, TableId, TypeId,
};

/// Sends calls through the table.
pub(crate) fn through_table(module: &mut Module) -> Result<(), String> {
    let table = module.tables.main_function_table();
    let Ok(Some(table)) = table else {
        return Err("the module has no table of functions".to_owned());
    };
    let places = place_all(module, table)?;
    for (_, caller) in module.funcs.iter_local_mut() {
        let mut rewriting = Rewriting {
            places: &places,
            table,
            caller: caller.size(),
        };
        let entry = caller.entry_block();
        dfs_pre_order_mut(&mut rewriting, caller, entry);
    }
    Ok(())
}

/// A function in the table.
struct Placed {
    place: i32,
    ty: TypeId,
    size: u64,
}

/// Puts every function that is not small at the end of the table.
fn place_all(module: &mut Module, table: TableId) -> Result<HashMap<FunctionId, Placed>, String> {
    let is_large = |(_, function): &(FunctionId, &LocalFunction)| function.size() >= SMALL;
    let large: Vec<_> = module
        .funcs
        .iter_local()
        .filter(is_large)
        .map(|(id, function)| (id, function.ty(), function.size()))
        .collect();
    let first = module.tables.get(table).initial;
    let mut places = HashMap::new();
    for (place, (id, ty, size)) in (first..).zip(&large) {
        let place = i32::try_from(place).map_err(|_| "the table is too large")?;
        let (ty, size) = (*ty, *size);
        places.insert(*id, Placed { place, ty, size });
    }
    let offset = i32::try_from(first).map_err(|_| "the table is too large")?;
    let offset = ConstExpr::Value(Value::I32(offset));
    let items = ElementItems::Functions(large.iter().map(|(id, ..)| *id).collect());
    let element = module
        .elements
        .add(ElementKind::Active { table, offset }, items);
    let table = module.tables.get_mut(table);
    table.initial += large.len() as u64;
    table.maximum = table.maximum.map(|most| most.max(table.initial));
    table.elem_segments.insert(element);
    Ok(places)
}

struct Rewriting<'a> {
    places: &'a HashMap<FunctionId, Placed>,
    table: TableId,
    /// The caller's size.
    caller: u64,
}

impl VisitorMut for Rewriting<'_> {
    fn start_instr_seq_mut(&mut self, sequence: &mut InstrSeq) {
        for (instruction, location) in std::mem::take(&mut sequence.instrs) {
            let placed = match &instruction {
                Instr::Call(Call { func }) => self.places.get(func),
                _ => None,
            };
            let Some(placed) = placed.filter(|placed| may_inline(self.caller, placed.size)) else {
                sequence.instrs.push((instruction, location));
                continue;
            };
            let value = Value::I32(placed.place);
            let (ty, table) = (placed.ty, self.table);
            sequence.instrs.extend([
                (Instr::Const(Const { value }), location),
                (Instr::CallIndirect(CallIndirect { ty, table }), location),
            ]);
        }
    }
}

/// Whether V8 could inline a function of this size into one of that size, or into what that one is
/// inlined into.
const fn may_inline(caller: u64, size: u64) -> bool {
    caller < SMALL || size < caller.saturating_mul(GROWTH)
}

/// Instructions of a function from which on it is called through the table. With 10, start and size
/// are the same; with 50, the start is 15 % longer.
const SMALL: u64 = 25;

/// How many times its own size V8 inlines into a function at most: twice in this module, where
/// fewer than a quarter of the functions are small; three times in versions before, and more is on
/// the safe side.
const GROWTH: u64 = 4;
