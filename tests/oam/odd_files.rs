//! Files that nobody meant as a configuration, a set of cases, claims or keys: refused as
//! unreadable or invalid, and never a panic.

use std::path::PathBuf;

use proptest::prelude::*;

use super::{Ran, oam, text};

#[test]
fn no_file_is_too_odd() {
    let aliases = |first: &str, each: &str| -> Vec<u8> {
        let levels = ('b'..'n').zip('a'..'m').map(|(name, before)| {
            let nine = vec![format!("*{before}"); 9].join(",");
            each.replace("NAME", &name.to_string())
                .replace("NINE", &nine)
        });
        (first.to_owned() + &levels.collect::<String>()).into_bytes()
    };
    #[rustfmt::skip]
    let cases = [
        // name                     bytes
        ("empty",                   Vec::new()),
        ("zeros",                   vec![0; 4096]),
        ("every byte",              (0..=255).collect()),
        ("a byte order mark",       b"\xEF\xBB\xBF{}".to_vec()),
        ("UTF-16",                  b"\xFF\xFE{\0}\0".to_vec()),
        ("Latin-1",                 b"a: \xE9\n".to_vec()),
        ("lists in lists",          [vec![b'['; 100_000], vec![b']'; 100_000]].concat()),
        ("maps in maps",            br#"{"a":"#.repeat(100_000)),
        ("lists in YAML",           [b"a: ".to_vec(), vec![b'['; 100_000]].concat()),
        ("aliases of aliases",      aliases("a: &a [x,x,x]\n", "NAME: &NAME [NINE]\n")),
        ("merges of merges",        aliases("a: &a {x: 1}\n", "NAME: &NAME\n  <<: [NINE]\n")),
        ("an alias of itself",      b"a: &a [*a]\n".to_vec()),
        ("a tag",                   b"!!python/object:os.system x\n".to_vec()),
        ("keys that are no text",   b"? [a, b]\n: c\n1: 2\nnull: 3\n".to_vec()),
        ("no number",               br#"{"issuers":1e999999}"#.to_vec()),
        ("a key twice",             br#"{"issuers":[],"issuers":[]}"#.to_vec()),
        ("many documents",          b"---\n".repeat(10_000)),
        ("a text",                  br#""x""#.to_vec()),
        ("a list",                  b"- 1\n- 2\n".to_vec()),
        ("too many bytes",          vec![b' '; 16 * 1024 * 1024]),
        ("a hollow WasmPlugin",     b"kind: WasmPlugin\nspec: 3\n".to_vec()),
        ("a hollow policy",         b"kind: EnvoyExtensionPolicy\nspec: {wasm: [1, {config: 2}]}\n".to_vec()),
        ("a hollow bootstrap",      b"static_resources: [1]\ndynamic_resources: {}\n".to_vec()),
    ];
    for (name, bytes) in cases {
        for ran in every_way(&bytes) {
            assert!(
                matches!(ran.code, Some(1 | 2)),
                "{name}: {:?} {}",
                ran.code,
                ran.err
            );
        }
    }
}

#[test]
fn a_key_that_stands_twice_hides_nothing() {
    let folder = std::env::temp_dir().join(format!("oam-twice-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("twice.json");
    std::fs::write(&file, r#"{"issuers": [], "roles": [{}], "roles": []}"#).unwrap();
    let ran = oam(&["check", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.err.contains("has a key twice in one object"), "{ran:?}");
}

#[test]
fn what_is_no_file_is_unreadable() {
    for path in ["/", "/nonexistent/x", ""] {
        assert_eq!(oam(&["check", path]).code, Some(2), "{path}");
        assert_eq!(oam(&["test", path]).code, Some(2), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nor_are_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..256), yaml in "[-:{}\\[\\]&*!|>'\"#%@,a-c \\n]{0,80}") {
        for bytes in [bytes, yaml.into_bytes()] {
            for ran in every_way(&bytes) {
                prop_assert!(matches!(ran.code, Some(1 | 2)), "{ran:?}");
            }
        }
    }
}

/// The file as everything that a file may be given as.
fn every_way(bytes: &[u8]) -> [Ran; 5] {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("odd-{:?}", std::thread::current().id()));
    std::fs::write(&path, bytes).unwrap();
    let (path, valid) = (
        text(&path),
        concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/policies/okta.yaml"),
    );
    [
        oam(&["check", path]),
        oam(&["test", path]),
        oam(&["explain", "--anonymous", "--config", path, "GET", "/x"]),
        oam(&[
            "explain",
            "--config",
            valid,
            "--claims",
            path,
            "GET",
            "/api/2.2/jobs/list",
        ]),
        oam(&[
            "explain",
            "--config",
            valid,
            "--anonymous",
            "--jwks",
            path,
            "GET",
            "/x",
        ]),
    ]
}
