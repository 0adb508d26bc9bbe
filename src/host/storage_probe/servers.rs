//! Whether the servers of network storage can be reached from here: any one of them will do.
//!
//! | a server in a manifest | what is tried |
//! |---|---|
//! | `name:port`, `[address]:port` | that port |
//! | `name` | the default ports of the protocol |
//! | `unix:/path` | whether that socket exists |
//! | `rdma:name:port` | nothing: a TCP connection proves nothing |
//! | `conf:/path` | the monitors in that file of Ceph's on this host |
//!
//! Ceph storage without servers uses those in `/etc/ceph/ceph.conf`. If there are none either, DNS may have them:
//! then nothing is checked, and a note says so.

use std::net::Ipv6Addr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::select_ok;
use tokio::net::TcpStream;

use super::{Seen, read_start};

/// Ceph's own configuration.
const CEPH: &str = "/etc/ceph/ceph.conf";

/// How long to wait for one server.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a server in the list is tried.
#[derive(Debug, PartialEq, Eq)]
enum Server {
    /// At least one of these `host:port` must answer.
    At(Vec<String>),
    /// It listens on this socket.
    Socket(PathBuf),
    /// It cannot be tried from here; the reason.
    Untold(String),
    /// The servers are in this file.
    Named(PathBuf),
}

/// The default ports of a protocol; none for a protocol that cannot be tried by a connection.
fn usual_ports(protocol: &str) -> &'static [u16] {
    match protocol {
        "rbd" => &[3300, 6789],
        "nbd" => &[10809],
        "iscsi" => &[3260],
        "gluster" => &[24007],
        "sheepdog" => &[7000],
        "http" => &[80],
        "https" => &[443],
        "ftp" => &[21],
        "ftps" => &[990],
        "ssh" => &[22],
        "vxhs" => &[9999],
        "nfs" => &[2049],
        "cephfs" => &[3300, 6789],
        _ => &[],
    }
}

/// Parses one server.
fn parse(protocol: &str, text: &str) -> Server {
    if let Some(path) = text.strip_prefix("unix:") {
        return Server::Socket(path.into());
    }
    if let Some(path) = text.strip_prefix("conf:") {
        return Server::Named(path.into());
    }
    if text.starts_with("rdma:") || protocol == "tftp" {
        return Server::Untold(text.to_owned());
    }
    match (has_port(text), usual_ports(protocol)) {
        (true, _) => Server::At(vec![text.to_owned()]),
        (false, []) => Server::Untold(text.to_owned()),
        (false, ports) => {
            let name = if is_bare_ipv6(text) { format!("[{text}]") } else { text.to_owned() };
            Server::At(ports.iter().map(|port| format!("{name}:{port}")).collect())
        }
    }
}

fn is_bare_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn has_port(text: &str) -> bool {
    let port = text.rsplit_once(':').filter(|_| !is_bare_ipv6(text)).map(|(_, port)| port);
    port.is_some_and(|port| port.parse::<u16>().is_ok())
}

/// Whether one of these can be reached from here.
pub(super) async fn reach(protocol: &str, servers: &[String]) -> Seen {
    reach_with(protocol, servers, Path::new(CEPH)).await
}

async fn reach_with(protocol: &str, servers: &[String], ceph: &Path) -> Seen {
    let mut known: Vec<_> = servers.iter().map(|text| parse(protocol, text)).collect();
    match (servers, protocol) {
        ([], "rbd") => known.push(Server::Named(ceph.to_owned())),
        ([], "sheepdog") => known.push(Server::At(vec!["localhost:7000".to_owned()])),
        ([], _) => return Seen::problem("names no server that could be asked"),
        _ => {}
    }
    let (mut places, mut sockets, mut untold) = (Vec::new(), Vec::new(), Vec::new());
    for server in known {
        match server {
            Server::At(more) => places.extend(more),
            Server::Socket(path) => sockets.push(path),
            Server::Untold(text) => untold.push(format!("{text} tells nothing of itself")),
            Server::Named(file) => match monitors(&file) {
                found if found.is_empty() => {
                    untold.push(format!("neither it nor {} there names its monitors", file.display()));
                }
                found => {
                    let ports = found.iter().flat_map(|one| match parse("rbd", one) {
                        Server::At(places) => places,
                        _ => Vec::new(),
                    });
                    places.extend(ports);
                }
            },
        }
    }
    if sockets.iter().any(|path| is_socket(path)) || answers(&places).await {
        return Seen::default();
    }
    if !untold.is_empty() {
        return Seen::note(format!("was not looked for: {}", untold.join("; ")));
    }
    places.extend(sockets.iter().map(|path| path.display().to_string()));
    Seen::problem(format!("none of its servers can be reached ({})", places.join(", ")))
}

fn is_socket(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.file_type().is_socket())
}

/// Whether one of them accepts a connection.
async fn answers(places: &[String]) -> bool {
    let connect = |place: &String| {
        let place = place.clone();
        Box::pin(async move {
            let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(place)).await;
            connected.ok().and_then(Result::ok).ok_or(())
        })
    };
    !places.is_empty() && select_ok(places.iter().map(connect)).await.is_ok()
}

//  [global]
//    mon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0] mon2.example.org
//  [mon.a]
//    mon addr = 10.0.0.3:6789
/// The monitors in a file of Ceph's; none if it cannot be read.
fn monitors(file: &Path) -> Vec<String> {
    const LONGEST: u64 = 1 << 20;
    let text = read_start(file, LONGEST).unwrap_or_default();
    parse_monitors(&String::from_utf8_lossy(&text))
}

fn parse_monitors(text: &str) -> Vec<String> {
    let values = text.lines().filter_map(|line| line.split(['#', ';']).next()?.split_once('='));
    let values = values.filter(|(key, _)| {
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        matches!(key.as_str(), "monhost" | "monaddr")
    });
    let words = values.flat_map(|(_, value)| value.split([',', ' ', '\t']).map(str::trim));
    words.filter_map(monitor).collect()
}

/// `v1:10.0.0.1:6789/0`, with a bracket of its group before or after it.
fn monitor(word: &str) -> Option<String> {
    let bare =
        ["[v1:", "[v2:", "[any:", "v1:", "v2:", "any:"].iter().find_map(|kind| word.strip_prefix(kind));
    let word = bare.unwrap_or(word);
    let word = word.split('/').next().unwrap_or_default();
    // The end of a group, not of an address.
    let word = if word.contains('[') { word } else { word.trim_end_matches(']') };
    (!word.is_empty()).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_tried_where_it_says_or_where_its_protocol_is_usually_served() {
        let at = |places: &[&str]| Server::At(places.iter().map(|&place| place.to_owned()).collect());
        for (protocol, text, expected) in [
            ("rbd", "mon1", at(&["mon1:3300", "mon1:6789"])),
            ("rbd", "mon1:6790", at(&["mon1:6790"])),
            ("rbd", "2001:db8::1", at(&["[2001:db8::1]:3300", "[2001:db8::1]:6789"])),
            ("rbd", "::1", at(&["[::1]:3300", "[::1]:6789"])),
            ("rbd", "[::1]:6789", at(&["[::1]:6789"])),
            ("nbd", "s", at(&["s:10809"])),
            ("iscsi", "s", at(&["s:3260"])),
            ("gluster", "s", at(&["s:24007"])),
            ("sheepdog", "s", at(&["s:7000"])),
            ("http", "s", at(&["s:80"])),
            ("https", "s", at(&["s:443"])),
            ("ftp", "s", at(&["s:21"])),
            ("ftps", "s", at(&["s:990"])),
            ("ssh", "s", at(&["s:22"])),
            ("vxhs", "s", at(&["s:9999"])),
            ("nfs", "s", at(&["s:2049"])),
            ("nbd", "unix:/run/nbd.sock", Server::Socket("/run/nbd.sock".into())),
            ("rbd", "conf:/etc/ceph/b.conf", Server::Named("/etc/ceph/b.conf".into())),
            ("gluster", "rdma:s:24008", Server::Untold("rdma:s:24008".into())),
            ("tftp", "s:69", Server::Untold("s:69".into())),
            ("of-tomorrow", "s", Server::Untold("s".into())),
            ("of-tomorrow", "s:1", at(&["s:1"])),
        ] {
            assert_eq!(parse(protocol, text), expected, "{protocol} {text}");
        }
    }

    fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.map(str::to_owned).to_vec()
    }

    #[tokio::test]
    async fn one_server_of_several_is_enough_and_what_was_tried_in_vain_is_named() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = server.local_addr().unwrap().to_string();
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let seen = reach("nbd", &[closed.to_string(), there]).await;
        assert_eq!(seen, Seen::default());
        let seen = reach("nbd", &[closed.to_string(), "unix:/no/such.sock".into()]).await;
        let tried = format!("none of its servers can be reached ({closed}, /no/such.sock)");
        assert_eq!(seen, Seen::problem(tried));
        assert_eq!(reach("nbd", &[]).await, Seen::problem("names no server that could be asked"));
    }

    #[tokio::test]
    async fn a_socket_of_a_server_is_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nbd.sock");
        let servers = [format!("unix:{}", path.display())];
        assert!(reach("nbd", &servers).await.problem.is_some());
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(reach("nbd", &servers).await, Seen::default());
    }

    #[tokio::test]
    async fn monitors_are_those_of_ceph_conf_if_none_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let conf = folder.path().join("ceph.conf");
        let seen = reach_with("rbd", &[], &conf).await;
        let nobody =
            format!("was not looked for: neither it nor {} there names its monitors", conf.display());
        assert_eq!(seen, Seen::note(nobody));
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = server.local_addr().unwrap();
        std::fs::write(&conf, format!("[global]\n mon host = {there}\n")).unwrap();
        assert_eq!(reach_with("rbd", &[], &conf).await, Seen::default());
        let named = [format!("conf:{}", conf.display())];
        assert_eq!(reach_with("rbd", &named, Path::new("/no/such.conf")).await, Seen::default());
        drop(server);
        let problem = format!("none of its servers can be reached ({there})");
        assert_eq!(reach_with("rbd", &[], &conf).await, Seen::problem(problem));
    }

    #[test]
    fn monitors_are_read_in_each_form_that_ceph_takes() {
        for (text, expected) in [
            ("mon_host = 10.0.0.1,10.0.0.2:6790\n", texts(["10.0.0.1", "10.0.0.2:6790"])),
            ("mon host = a b # c\n", texts(["a", "b"])),
            (
                "mon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0],[v2:10.0.0.2:3300/0]\n",
                texts(["10.0.0.1:3300", "10.0.0.1:6789", "10.0.0.2:3300"]),
            ),
            ("mon_host = [v2:[2001:db8::1]:3300/0]\n", texts(["[2001:db8::1]:3300"])),
            ("[mon.a]\n\tmon addr = 10.0.0.3:6789\n", texts(["10.0.0.3:6789"])),
            ("# mon_host = x\n; mon_host = y\nfsid = z\n", texts([])),
        ] {
            assert_eq!(parse_monitors(text), expected, "{text}");
        }
    }
}
