//! The files of `envoy/production`, made to fit a folder and free ports, and what stands around
//! such a gateway.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use wasm_tests::envoy::log::Log;
use wasm_tests::envoy::{self, Envoy, install};
use wasm_tests::issuer::Issuer;
use wasm_tests::keys::pem;
use wasm_tests::token::Token;
use wasm_tests::workspace::Workspace;
use wasm_tests::{client as plain, paths};

use crate::client::Client;

/// The names in the files.
pub(crate) const WORKSPACE: &str = "dbc-a1b2c3d4-e5f6.cloud.databricks.com";
const GATEWAY: &str = "databricks.example.com";
const ISSUER: &str = "acme.okta.com";

/// A running gateway; the folder is `/etc/envoy` and `/run/envoy` for it.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) folder: PathBuf,
    pub(crate) log: Log,
    pub(crate) status: SocketAddr,
    address: SocketAddr,
    authority: CertifiedIssuer<'static, KeyPair>,
    pub(crate) workspace: Workspace,
    pub(crate) issuer: Issuer,
    /// Ends TLS before the stand-ins, which speak none.
    _edge: Envoy,
}

impl Gateway {
    /// With these further texts replaced in the listener.
    pub(crate) fn start(edits: &[(&str, &str)]) -> Self {
        Self::launch(FILES, WORKSPACE, None, edits)
    }

    /// With the listener of `envoy/browser`, which signs people in.
    pub(crate) fn start_for_browsers() -> Self {
        let edits = [("/oauth2/aus1a2b3/v1/token", "/token")];
        Self::launch(FILES_FOR_BROWSERS, WORKSPACE, None, &edits)
    }

    /// Before a workspace that shows a certificate of another name, by an authority that is
    /// trusted.
    pub(crate) fn start_impersonated() -> Self {
        Self::launch(FILES, "evil.example.com", None, &[])
    }

    /// Before this server in place of the workspace.
    pub(crate) fn start_before(server: SocketAddr, edits: &[(&str, &str)]) -> Self {
        Self::launch(FILES, WORKSPACE, Some(server), edits)
    }

    fn launch(
        files: &[(&str, &str)],
        shown: &str,
        server: Option<SocketAddr>,
        edits: &[(&str, &str)],
    ) -> Self {
        let authority = authority();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let workspace = Workspace::exchanging_at(nowhere).expect("a free port");
        let issuer = Issuer::start(["acme-rsa"]);
        let [at_workspace, at_issuer, at_gateway, at_status] = free_ports();
        let edge = edge(
            [
                ("workspace", at_workspace, shown),
                ("issuer", at_issuer, ISSUER),
            ],
            [
                server.unwrap_or_else(|| workspace.address()),
                issuer.address(),
            ],
            &authority,
        );
        let edge = Envoy::launch(&edge, 1, None).unwrap_or_else(|log| panic!("{log}"));
        let folder = envoy::scratch();
        let mut replaced = replacements(&folder, [at_workspace, at_issuer, at_gateway, at_status]);
        replaced.extend(
            edits
                .iter()
                .map(|(from, to)| ((*from).to_owned(), (*to).to_owned())),
        );
        lay_out(&folder, files, &replaced);
        write(
            &folder.join("authority.pem"),
            &pem("CERTIFICATE", authority.der()),
        );
        write_certificate(&folder, &authority);
        let mut child = command(&folder).spawn().expect("Envoy runs");
        let log = Log::follow(child.stderr.take().expect("a piped stderr"));
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let gateway = Self {
            child,
            folder,
            log,
            status: address(at_status),
            address: address(at_gateway),
            authority,
            workspace,
            issuer,
            _edge: edge,
        };
        gateway.wait();
        gateway
    }

    fn wait(&self) {
        let started = Instant::now();
        let ready = || {
            plain::Connection::try_open(self.status).is_ok()
                && plain::try_get(self.status, "/ready").status == 200
        };
        while !ready() {
            let log = self.log.tail(30);
            assert!(started.elapsed() < START, "Envoy was not ready:\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A new connection.
    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address, self.authority.der(), GATEWAY)
    }

    /// The listener's file as it is.
    pub(crate) fn listeners(&self) -> String {
        fs::read_to_string(self.folder.join("production/listeners.yaml")).expect("a file")
    }

    /// As one changes it in production: whole, by one move.
    pub(crate) fn move_into_place(&self, name: &str, text: &str) {
        let new = self.folder.join("new");
        write(&new, text);
        fs::rename(new, self.folder.join("production").join(name)).expect("the same file system");
    }

    /// A new certificate and key, and then their file, as its first lines say.
    pub(crate) fn renew_certificate(&self) {
        write_certificate(&self.folder, &self.authority);
        let file = self.folder.join("production/certificate.yaml");
        let text = fs::read_to_string(file).expect("a file");
        self.move_into_place("certificate.yaml", &text);
    }

    /// Waits for the log to have this text.
    pub(crate) fn log_says(&self, text: &str) {
        let started = Instant::now();
        while !self.log.text().contains(text) {
            assert!(started.elapsed() < START, "{}", self.log.tail(30));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        if std::thread::panicking() {
            eprintln!("the end of Envoy's log:\n{}", self.log.tail(40));
        } else {
            drop(fs::remove_dir_all(&self.folder));
        }
    }
}

/// A token of the issuer in the files, for a member of this group.
pub(crate) fn token(group: &str) -> String {
    token_of(group).mint(paths::now())
}

/// The same, to be made by the issuer.
pub(crate) fn token_of(group: &str) -> Token {
    let claims = json!({
        "iss": format!("https://{ISSUER}/oauth2/aus1a2b3"), "aud": "databricks", "sub": "ada@example.com", "cid": "etl",
        "iat": "now-60", "exp": "now+3000", "jti": "t-1", "scp": ["jobs"], "groups": [group],
    });
    Token::new("acme-rsa", &claims)
}

/// The flags are those of production/compose.yaml.
fn command(folder: &Path) -> Command {
    let text = fs::read_to_string(paths::root().join("envoy/production/compose.yaml"));
    let compose: Value = serde_norway::from_str(&text.expect("a file")).expect("YAML");
    let arguments = compose["services"]["gateway"]["command"].as_array();
    let arguments = arguments.expect("a command").iter();
    let inside = folder.display().to_string();
    let arguments = arguments.map(|word| {
        word.as_str()
            .expect("a text")
            .replace("/etc/envoy", &inside)
    });
    let mut command = Command::new(install::ensure(&install::version()));
    command
        .args(arguments)
        .args(["--disable-hot-restart", "--concurrency", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Writes the files with these texts replaced; each must be there.
fn lay_out(folder: &Path, files: &[(&str, &str)], replaced: &[(String, String)]) {
    for name in ["production", "production/secrets", "run", "tls"] {
        fs::create_dir(folder.join(name)).expect("a scratch directory");
    }
    for name in ["oauth2-client", "oauth2-hmac"] {
        write(
            &folder.join("production/secrets").join(name),
            "a secret of the test",
        );
    }
    let mut unused: Vec<&str> = replaced.iter().map(|(from, _)| from.as_str()).collect();
    for (name, place) in files {
        let mut text = fs::read_to_string(paths::root().join("envoy").join(name)).expect("a file");
        for (from, to) in replaced {
            unused.retain(|unused| *unused != from || !text.contains(from));
            text = text.replace(from, to);
        }
        write(&folder.join(place), &text);
    }
    assert_eq!(unused, Vec::<&str>::new(), "in no file");
}

fn write_certificate(folder: &Path, authority: &CertifiedIssuer<'static, KeyPair>) {
    let (chain, key) = certificate(GATEWAY, authority);
    for (name, text) in [("tls.key", key), ("tls.crt", chain)] {
        let new = folder.join("new");
        write(&new, &text);
        fs::rename(new, folder.join("tls").join(name)).expect("the same file system");
    }
}

/// What stands in the files, and what stands for it here.
fn replacements(folder: &Path, ports: [u16; 4]) -> Vec<(String, String)> {
    let [at_workspace, at_issuer, at_gateway, at_status] = ports;
    let place = |port: u16| format!("address: 127.0.0.1, port_value: {port}");
    [
        (
            format!("address: {WORKSPACE}, port_value: 443"),
            place(at_workspace),
        ),
        (
            format!("address: {ISSUER}, port_value: 443"),
            place(at_issuer),
        ),
        (
            "address: 0.0.0.0, port_value: 8443".to_owned(),
            place(at_gateway),
        ),
        (
            "address: 0.0.0.0, port_value: 9902".to_owned(),
            place(at_status),
        ),
        ("/oauth2/aus1a2b3/v1/keys".to_owned(), "/keys".to_owned()),
        (
            "/etc/ssl/certs/ca-certificates.crt".to_owned(),
            inside(folder, "authority.pem"),
        ),
        (
            "/etc/envoy/databricks_oam_filter.wasm".to_owned(),
            paths::module().display().to_string(),
        ),
        ("/etc/envoy".to_owned(), folder.display().to_string()),
        ("/run/envoy".to_owned(), inside(folder, "run")),
    ]
    .to_vec()
}

/// Ends TLS on each port, shows this name there, and passes bytes on to the server of the same
/// place.
fn edge(
    doors: [(&str, u16, &str); 2],
    servers: [SocketAddr; 2],
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Value {
    let listeners = doors.map(|(name, port, shown)| door(name, port, shown, authority));
    let clusters: Vec<Value> = doors
        .iter()
        .zip(servers)
        .map(|((name, ..), server)| envoy::cluster(name, server))
        .collect();
    json!({
        "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
        "static_resources": { "listeners": listeners, "clusters": clusters },
    })
}

/// A listener that ends TLS and passes bytes on to the cluster of its name.
fn door(
    name: &str,
    port: u16,
    shown: &str,
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Value {
    let (chain, key) = certificate(shown, authority);
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": port } },
        "filter_chains": [{
            "transport_socket": { "name": "envoy.transport_sockets.tls", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": { "tls_certificates": [{
                    "certificate_chain": { "inline_string": chain }, "private_key": { "inline_string": key },
                }] },
            } },
            "filters": [{ "name": "envoy.filters.network.tcp_proxy", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": name, "cluster": name,
            } }],
        }],
    })
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let name = &mut params.distinguished_name;
    name.push(DnType::CommonName, "authority");
    CertifiedIssuer::self_signed(params, new_key()).expect("a certificate")
}

/// A certificate for this name and its key, as PEM.
fn certificate(name: &str, authority: &CertifiedIssuer<'static, KeyPair>) -> (String, String) {
    let key = new_key();
    let certificate = CertificateParams::new([name.to_owned()])
        .and_then(|params| params.signed_by(&key, authority))
        .expect("a certificate");
    let chain = pem("CERTIFICATE", certificate.der());
    (chain, pem("PRIVATE KEY", key.serialized_der()))
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key")
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

fn inside(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// What is shipped, and where it goes.
const FILES: &[(&str, &str)] = &[
    ("production.yaml", "production.yaml"),
    ("production/listeners.yaml", "production/listeners.yaml"),
    ("production/certificate.yaml", "production/certificate.yaml"),
];

const FILES_FOR_BROWSERS: &[(&str, &str)] = &[
    ("production.yaml", "production.yaml"),
    ("browser/listeners.yaml", "production/listeners.yaml"),
    (
        "browser/oauth2-client.yaml",
        "production/oauth2-client.yaml",
    ),
    ("browser/oauth2-hmac.yaml", "production/oauth2-hmac.yaml"),
    ("production/certificate.yaml", "production/certificate.yaml"),
];

/// Time for Envoy to start, on a machine that is busy with other things.
const START: Duration = Duration::from_mins(1);
