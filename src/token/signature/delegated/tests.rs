use std::cell::Cell;

use super::*;
use crate::token::algorithm::Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256, Rs384, Rs512};

const SOUND: &[u8] = &[0x08, 0x01];

/// As Envoy answers for a signature that does not hold.
const UNSOUND: &[u8] = b"\x12\x05error";

fn all() -> AlgorithmSet {
    Algorithm::ALL.into_iter().collect()
}

/// Whether the arguments hold the message that was signed.
fn is_good(arguments: &[u8]) -> bool {
    arguments.ends_with(vectors::MESSAGE)
}

#[test]
fn the_gateway_is_trusted_where_both_verdicts_are_right() {
    type Host = fn(&[u8]) -> Option<Vec<u8>>;
    let no_rs384: Host = |arguments| {
        (arguments.get(2..8) != Some(b"sha384"))
            .then(|| if is_good(arguments) { SOUND } else { UNSOUND }.to_vec())
    };
    #[rustfmt::skip]
    let cases: [(&str, Host, Vec<Algorithm>); 8] = [
        // name                     host
        // proven
        ("an honest engine",        |a| Some(if is_good(a) { SOUND } else { UNSOUND }.to_vec()),                vec![Rs256, Rs384, Rs512, Es256, Es384]),
        ("one hash missing",        no_rs384,                                                                   vec![Rs256, Rs512, Es256]),
        ("no such function",        |_| None,                                                                   vec![]),
        ("yes to everything",       |_| Some(SOUND.to_vec()),                                                   vec![]),
        ("no to everything",        |_| Some(UNSOUND.to_vec()),                                                 vec![]),
        ("the other way round",     |a| Some(if is_good(a) { UNSOUND } else { SOUND }.to_vec()),                vec![]),
        ("nothing",                 |_| Some(Vec::new()),                                                       vec![]),
        ("yes, with an error",      |a| Some(if is_good(a) { b"\x08\x01\x12\x01e" } else { UNSOUND }.to_vec()), vec![]),
    ];
    for (name, host, want) in cases {
        let proven = Delegated::prove(all(), host).proven();
        assert_eq!(proven.iter().collect::<Vec<_>>(), want, "{name}");
    }
}

#[test]
fn only_what_is_asked_for_is_proven() {
    let calls = Cell::new(0);
    let wanted = AlgorithmSet::EMPTY.with(Rs256).with(Ps256).with(EdDsa);
    let delegated = Delegated::prove(wanted, |arguments: &[u8]| {
        calls.set(calls.get() + 1);
        Some(if is_good(arguments) { SOUND } else { UNSOUND }.to_vec())
    });
    assert_eq!(delegated.proven(), AlgorithmSet::EMPTY.with(Rs256));
    assert_eq!(calls.get(), 2);
}

#[test]
fn further_algorithms_are_proven_once_they_are_asked_for() {
    let calls = Cell::new(0);
    let delegated = Delegated::prove(AlgorithmSet::EMPTY.with(Es256), |arguments: &[u8]| {
        calls.set(calls.get() + 1);
        Some(if is_good(arguments) { SOUND } else { UNSOUND }.to_vec())
    })
    .with_on_demand(all());
    assert_eq!(calls.get(), 2, "at the start");
    let vector = &vectors::ALL[0];
    let key = Jwk::parse(vector.key.as_bytes()).unwrap();
    let signature = base64url::decode(vector.signature.as_bytes()).unwrap();
    for calls_in_all in [5, 6] {
        assert!(delegated.verify(Rs256, &key, vectors::MESSAGE, &signature));
        assert_eq!(calls.get(), calls_in_all, "tried once, asked each time");
    }
    let want = AlgorithmSet::EMPTY.with(Rs256).with(Es256);
    assert_eq!(delegated.proven(), want);
    // Our own engine decides what the gateway has no function for, and nobody is asked.
    assert!(!delegated.verify(Ps256, &key, vectors::MESSAGE, &signature));
    assert_eq!(calls.get(), 6);
}

#[test]
fn the_vectors_hold_for_our_own_engine() {
    for vector in &vectors::ALL {
        let key = Jwk::parse(vector.key.as_bytes()).unwrap();
        let signature = base64url::decode(vector.signature.as_bytes()).unwrap();
        let verify = |message| RustCrypto.verify(vector.algorithm, &key, message, &signature);
        assert!(verify(vectors::MESSAGE), "{}", vector.algorithm);
        assert!(!verify(OTHER_MESSAGE), "{}", vector.algorithm);
    }
}

/// The gateway's word counts while it gives one; where it fails, or was never proven, our own
/// engine decides.
#[test]
fn who_decides() {
    let vector = &vectors::ALL[0];
    let key = Jwk::parse(vector.key.as_bytes()).unwrap();
    let signature = base64url::decode(vector.signature.as_bytes()).unwrap();
    #[rustfmt::skip]
    let cases: [(&str, AlgorithmSet, Option<&[u8]>, &[u8], bool); 6] = [
        // name                     proven                            answer          message
        // want
        ("the gateway says yes",    AlgorithmSet::EMPTY.with(Rs256),  Some(SOUND),    OTHER_MESSAGE,    true),
        ("the gateway says no",     AlgorithmSet::EMPTY.with(Rs256),  Some(UNSOUND),  vectors::MESSAGE, false),
        ("it fails, and it holds",  AlgorithmSet::EMPTY.with(Rs256),  None,           vectors::MESSAGE, true),
        ("it fails, and does not",  AlgorithmSet::EMPTY.with(Rs256),  None,           OTHER_MESSAGE,    false),
        ("not proven, yes",         AlgorithmSet::EMPTY.with(Es256),  Some(UNSOUND),  vectors::MESSAGE, true),
        ("not proven, no",          AlgorithmSet::EMPTY.with(Es256),  Some(SOUND),    OTHER_MESSAGE,    false),
    ];
    for (name, proven, answer, message, want) in cases {
        let delegated = Delegated {
            call: |_: &[u8]| answer.map(<[u8]>::to_vec),
            proven: Cell::new(proven),
            untried: Cell::default(),
        };
        assert_eq!(
            delegated.verify(Rs256, &key, message, &signature),
            want,
            "{name}"
        );
    }
}

#[test]
fn arguments_are_a_protobuf() {
    let long = vec![7; 300];
    let got = encode([(1, b"sha256"), (2, &long), (3, b""), (4, b"text")]);
    let want = [
        b"\x0a\x06sha256",
        &[&[0x12, 0xac, 0x02], long.as_slice()].concat()[..],
        b"\x1a\x00",
        b"\x22\x04text",
    ]
    .concat();
    assert_eq!(got, want);
}
