//! Reads the list of operations as `build.rs` packs it. Reading ends where the list is malformed,
//! and what is missing is refused.

use std::ops::Range;
use std::sync::OnceLock;

use super::area::Area;
use super::operation::{Access, Level, Marks, Operation, OperationRequirement};

/// Every operation, ordered by path, and the positions of those whose name stands at several paths.
pub(super) fn operations() -> (Vec<Operation>, Vec<usize>) {
    static TEXT: OnceLock<String> = OnceLock::new();
    let areas: Vec<_> = Area::all().collect();
    let packed = lz4_flex::block::decompress_size_prepended(PACKED).unwrap_or_default();
    let mut reader = Reader::new(&packed);
    let mut rows = Vec::new();
    while let Some(row) = reader.row() {
        rows.push(row);
    }
    let text = TEXT.get_or_init(|| String::from_utf8(reader.text).unwrap_or_default());
    let (mut operations, mut several) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let is_several = row.flags & 0x80 != 0;
        let Some(operation) = row.operation(text, &areas) else {
            continue;
        };
        if is_several {
            several.push(operations.len());
        }
        operations.push(operation);
    }
    (operations, several)
}

/// An operation whose texts still stand in the buffer.
struct Row {
    flags: u8,
    kind: PackedKind,
    name: Range<usize>,
    template: Range<usize>,
}

impl Row {
    fn operation(self, text: &'static str, areas: &[Area]) -> Option<Operation> {
        Some(Operation {
            name: text.get(self.name)?,
            method: METHODS.get(usize::from(self.flags & 0x0F))?,
            template: text.get(self.template)?,
            requirement: match self.kind.area {
                254 => OperationRequirement::AnyToken,
                255 => OperationRequirement::NoToken,
                area => OperationRequirement::Scope(*areas.get(usize::from(area))?),
            },
            access: if self.flags & 0x10 == 0 {
                Access::Read
            } else {
                Access::Write
            },
            level: if self.flags & 0x20 == 0 {
                Level::Account
            } else {
                Level::Workspace
            },
            marks: Marks::from_bits(self.kind.marks),
        })
    }
}

#[derive(Clone, Copy)]
struct PackedKind {
    area: u8,
    marks: u8,
}

struct Reader<'a> {
    rest: &'a [u8],
    kind: PackedKind,
    name: Vec<u8>,
    template: Vec<u8>,
    text: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(packed: &'a [u8]) -> Self {
        Self {
            rest: packed,
            kind: PackedKind {
                area: 255,
                marks: 0,
            },
            name: Vec::new(),
            template: Vec::new(),
            text: Vec::with_capacity(TEXT_LEN),
        }
    }

    fn row(&mut self) -> Option<Row> {
        let flags = self.byte()?;
        if flags & 0x40 == 0 {
            let area = self.byte()?;
            let marks = self.byte()?;
            self.kind = PackedKind { area, marks };
        }
        let name = self.text(|reader| &mut reader.name)?;
        let template = self.text(|reader| &mut reader.template)?;
        Some(Row {
            flags,
            kind: self.kind,
            name,
            template,
        })
    }

    /// Completes the text of the row before to this row's, and keeps it.
    fn text(&mut self, pick: fn(&mut Self) -> &mut Vec<u8>) -> Option<Range<usize>> {
        let shared = usize::from(self.byte()?);
        let rest = self.bytes()?;
        let mut current = std::mem::take(pick(self));
        current.truncate(shared);
        current.extend_from_slice(rest);
        let start = self.text.len();
        self.text.extend_from_slice(&current);
        *pick(self) = current;
        Some(start..self.text.len())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.byte()?;
        let (bytes, rest) = self.rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }
}

/// The methods, by their number in the list.
const METHODS: [&str; 7] = ["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// Room for all names and templates, so that the buffer does not grow step by step.
const TEXT_LEN: usize = 176 * 1024;

/// What `build.rs` wrote.
const PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/operations.bin"));

#[cfg(test)]
mod tests {
    use super::super::operation::OperationRequirement::{AnyToken, NoToken, Scope};
    use super::*;

    #[test]
    fn the_packed_list_is_the_list() {
        let mut want: Vec<_> = include_str!("operations.tsv")
            .lines()
            .map(str::to_owned)
            .collect();
        let mut found: Vec<_> = operations().0.iter().map(line).collect();
        want.sort();
        found.sort();
        assert_eq!(found, want);
    }

    #[test]
    fn names_at_several_paths_are_marked() {
        let (operations, several) = operations();
        let is_several = |one: &Operation| {
            let same = operations.iter().filter(|other| other.name == one.name);
            same.count() > 1
        };
        let positions = (0..operations.len()).zip(&operations);
        let want = positions.filter(|(_, operation)| is_several(operation));
        assert_eq!(
            several,
            want.map(|(position, _)| position).collect::<Vec<_>>()
        );
    }

    #[test]
    fn the_list_keeps_within_its_room_in_the_module() {
        assert!(PACKED.len() <= 36 * 1024, "{} bytes", PACKED.len());
    }

    #[test]
    fn reading_ends_where_the_list_is_malformed() {
        for packed in [
            &[][..],
            &[0],
            &[0, 0],
            &[0, 0, 0, 0, 200],
            &[0x40, 0, 1, 0xFF],
        ] {
            let mut reader = Reader::new(packed);
            assert!(reader.row().is_none(), "{packed:?}");
        }
    }

    fn line(operation: &Operation) -> String {
        let area = match operation.requirement {
            AnyToken => "any-token",
            NoToken => "no-token",
            Scope(area) => area.name(),
        };
        let marks: Vec<_> = operation
            .marks
            .iter()
            .map(super::super::Mark::as_str)
            .collect();
        let marks = if marks.is_empty() {
            "-".to_owned()
        } else {
            marks.join(",")
        };
        let (access, level) = (operation.access.as_str(), operation.level.as_str());
        let Operation {
            name,
            method,
            template,
            ..
        } = operation;
        format!("{name}\t{method}\t{template}\t{area}\t{access}\t{level}\t{marks}")
    }
}
