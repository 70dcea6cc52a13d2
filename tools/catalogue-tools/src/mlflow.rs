//! Operations of `mlflow-skinny`: the protobuf descriptors that its generated modules carry as byte
//! strings.

use protobuf::descriptor::field_descriptor_proto::Type;
use protobuf::descriptor::{DescriptorProto, FileDescriptorProto};
use protobuf::{CodedInputStream, Message, UnknownValueRef};
use regex::Regex;

use crate::answers::{Member, TypeName, Types};
use crate::call::Call;
use crate::wheel::Module;

/// The operations of all modules, in order.
pub fn calls(modules: &[Module]) -> Vec<Call> {
    let files: Vec<_> = modules
        .iter()
        .filter(|module| module.path.ends_with("_pb2.py"))
        .filter_map(|module| descriptor(&module.source))
        .collect();
    let mut types = Types::default();
    for message in files.iter().flat_map(|file| &file.message_type) {
        add(&mut types, message, "");
    }
    let mut calls = Vec::new();
    for file in &files {
        for service in &file.service {
            for method in &service.method {
                let source = format!("{}.{}", service.name(), method.name());
                let answers = types.telling(&[named(method.output_type())]);
                let options = method.options.special_fields.unknown_fields();
                for (_, value) in options.iter().filter(|&(field, _)| field == RPC_OPTION) {
                    if let UnknownValueRef::LengthDelimited(bytes) = value {
                        calls.extend(endpoints(bytes).into_iter().map(|endpoint| Call {
                            answers: answers.clone(),
                            ..endpoint.call(&source)
                        }));
                    }
                }
            }
        }
    }
    calls
}

/// One HTTP binding of a method.
#[derive(Default)]
struct Endpoint {
    method: String,
    path: String,
    major: u64,
    minor: u64,
}

impl Endpoint {
    fn call(self, source: &str) -> Call {
        let path = self
            .path
            .trim_start_matches('/')
            .replace("<path:", "{")
            .replace('>', "=**}");
        Call {
            source: source.to_owned(),
            method: if self.method.is_empty() {
                "POST".to_owned()
            } else {
                self.method
            },
            path: format!("/api/{}.{}/{path}", self.major, self.minor),
            ..Call::default()
        }
    }
}

/// Adds a message and those inside it.
fn add(types: &mut Types, message: &DescriptorProto, outer: &str) {
    let name = format!("{outer}{}", message.name());
    let members = message.field.iter().map(|field| Member {
        name: field.name().to_owned(),
        is_text: matches!(field.type_(), Type::TYPE_STRING | Type::TYPE_BYTES),
        types: vec![named(field.type_name())],
    });
    types.add(named(&name), members.collect());
    for inner in &message.nested_type {
        add(types, inner, &format!("{name}."));
    }
}

/// A message by its full name, without the package: packages begin with a small letter, messages
/// with a capital one.
fn named(name: &str) -> TypeName {
    let parts = name.split('.');
    let name: Vec<_> = parts
        .skip_while(|part| !part.starts_with(|letter: char| letter.is_ascii_uppercase()))
        .collect();
    TypeName {
        module: String::new(),
        name: name.join("."),
    }
}

/// The file descriptor in a generated module, the first of those for several protobuf versions.
fn descriptor(source: &str) -> Option<FileDescriptorProto> {
    let literal = Regex::new(r"AddSerializedFile\(b'((?:[^'\\]|\\.)*)'").ok()?;
    let escaped = literal.captures(source)?.get(1)?.as_str();
    FileDescriptorProto::parse_from_bytes(&unescape(escaped)?).ok()
}

/// The bytes of a Python byte string.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let mut byte = [0];
                base16ct::mixed::decode([rest.next()?, rest.next()?], &mut byte).ok()?;
                let [byte] = byte;
                byte
            }
            byte @ (b'\\' | b'\'' | b'"') => byte,
            _ => return None,
        });
    }
    Some(bytes)
}

/// The `endpoints` of the method option `rpc`, whose schema the package does not ship: endpoints
/// are field 1, and in each method 1, path 2, since 3 with major 1 and minor 2.
fn endpoints(bytes: &[u8]) -> Vec<Endpoint> {
    fields(bytes)
        .into_iter()
        .filter_map(|field| match field {
            (1, Value::Bytes(bytes)) => Some(endpoint(&bytes)),
            (_, Value::Bytes(_) | Value::Number(_)) => None,
        })
        .collect()
}

fn endpoint(bytes: &[u8]) -> Endpoint {
    let mut endpoint = Endpoint::default();
    for field in fields(bytes) {
        match field {
            (1, Value::Bytes(text)) => endpoint.method = lossy(&text),
            (2, Value::Bytes(text)) => endpoint.path = lossy(&text),
            (3, Value::Bytes(since)) => {
                for version in fields(&since) {
                    match version {
                        (1, Value::Number(major)) => endpoint.major = major,
                        (2, Value::Number(minor)) => endpoint.minor = minor,
                        (_, Value::Bytes(_) | Value::Number(_)) => {}
                    }
                }
            }
            (_, Value::Bytes(_) | Value::Number(_)) => {}
        }
    }
    endpoint
}

fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

enum Value {
    Bytes(Vec<u8>),
    Number(u64),
}

/// The numbers and byte strings of a message; reading ends where it is malformed.
fn fields(bytes: &[u8]) -> Vec<(u32, Value)> {
    let mut input = CodedInputStream::from_bytes(bytes);
    let mut fields = Vec::new();
    while let Ok(false) = input.eof() {
        let Ok(tag) = input.read_raw_varint32() else {
            break;
        };
        let value = match tag & 7 {
            0 => input.read_raw_varint64().map(Value::Number),
            2 => input.read_bytes().map(Value::Bytes),
            _ => break,
        };
        let Ok(value) = value else { break };
        fields.push((tag >> 3, value));
    }
    fields
}

/// The number of `mlflow.rpc` among the extensions of `google.protobuf.MethodOptions`.
const RPC_OPTION: u32 = 51310;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_from_the_option() {
        // endpoints { method: "GET" path: "/a/<path:b>" since { major: 2 minor: 11 } }, and a field
        // that is none.
        let since = [0x1a, 4, 0x08, 2, 0x10, 11];
        let mut endpoint = vec![0x0a, 3, b'G', b'E', b'T', 0x12, 11];
        endpoint.extend(b"/a/<path:b>");
        endpoint.extend(since);
        let mut option = vec![0x0a, u8::try_from(endpoint.len()).unwrap()];
        option.extend(&endpoint);
        option.extend([0x10, 3]);
        let calls: Vec<_> = endpoints(&option)
            .into_iter()
            .map(|endpoint| endpoint.call("S.m"))
            .collect();
        let found: Vec<_> = calls
            .iter()
            .map(|call| (&*call.method, &*call.path))
            .collect();
        assert_eq!(found, [("GET", "/api/2.11/a/{b=**}")]);
    }

    #[test]
    fn byte_strings_are_unescaped() {
        #[rustfmt::skip]
        let cases = [
            (r"abc",            Some(b"abc".to_vec())),
            (r"\n\r\t",         Some(vec![10, 13, 9])),
            (r"\x00\xfe",       Some(vec![0, 0xFE])),
            ("\\\\\\'\\\"",     Some(b"\\'\"".to_vec())),
            (r"\xf",            None),
            (r"\q",             None),
        ];
        for (text, want) in cases {
            assert_eq!(unescape(text), want, "{text}");
        }
    }
}
