//! Documents that are not manifests, and their errors.

use std::time::{Duration, Instant};

use super::*;

fn refusal(bytes: &[u8]) -> String {
    let error = read(bytes, "web1.xml").unwrap_err().to_string();
    assert!(!error.contains(char::is_control) && error.chars().count() < 500, "{error:?}");
    error
}

/// The error for the document with one part replaced.
fn changed(from: &str, to: &str) -> String {
    assert!(text().contains(from), "{from}");
    refusal(text().replacen(from, to, 1).as_bytes())
}

#[test]
fn a_document_that_ends_too_early_is_an_error_wherever_it_ends() {
    let text = text();
    for end in 0..text.trim_end().len() {
        refusal(&text.as_bytes()[..end]);
    }
    for (end, what) in [
        ("<mcap", "web1.xml:7: the file ends too early; it may not have been written or copied completely"),
        (
            "</zone>",
            "web1.xml:29: the file ends too early; it may not have been written or copied completely",
        ),
    ] {
        assert_eq!(refusal(&text.as_bytes()[..text.find(end).unwrap()]), what);
    }
}

#[test]
fn what_is_no_xml_in_utf_8_is_told_by_its_first_bytes() {
    let utf16 = |swap: bool| -> Vec<u8> {
        let units = format!("\u{feff}{}", text());
        units
            .encode_utf16()
            .flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    };
    let converts =
        "web1.xml: the file is in UTF-16, and UTF-8 is expected: convert it with iconv -f UTF-16 -t UTF-8";
    let latin1 = text().replace("more", "caf\u{1}").into_bytes();
    let latin1: Vec<u8> = latin1.into_iter().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    let cases: [(&[u8], &str); 9] = [
        (b"", "web1.xml: it is empty"),
        (b" \r\n\t\n", "web1.xml: it is empty"),
        (&utf16(false), converts),
        (&utf16(true), converts),
        (&latin1, "web1.xml:18: byte 0xe9 is not UTF-8, which is expected"),
        (b"\x7fELF\x02\x01\x01\0\0", "web1.xml:1: it is not an XML document"),
        (b"\x1f\x8b\x08\0\0\0", "web1.xml:1: byte 0x8b is not UTF-8, which is expected"),
        (b"create -b\nset zonepath=/zones/web1\n", "web1.xml:1: it is not an XML document"),
        (b"{\"zone\": {}}", "web1.xml:1: it is not an XML document"),
    ];
    for (bytes, what) in cases {
        assert_eq!(refusal(bytes), what);
    }
    for name in ["ISO-8859-1", "windows-1252"] {
        let what = format!(
            "web1.xml:1: the file is in {name}, and UTF-8 is expected: convert it with iconv -f {name} -t UTF-8"
        );
        let declaration = format!("encoding='{name}'");
        assert_eq!(changed("encoding=\"UTF-8\"", &declaration), what);
        // Contains an é, too, which is not valid UTF-8 in Latin-1.
        let bytes = String::from_utf8_lossy(&latin1).replace("encoding=\"UTF-8\"", &declaration);
        let bytes: Vec<u8> = bytes.chars().map(|c| if c == '\u{fffd}' { 0xe9 } else { c as u8 }).collect();
        assert_eq!((refusal(&bytes), bytes.contains(&0xe9)), (what, true));
    }
    assert!(read(format!("\u{feff}{}", text()).as_bytes(), "x").is_ok(), "a mark of byte order does no harm");
}

#[test]
fn what_is_missing_unknown_or_there_twice_is_named() {
    let cases = [
        (
            " uuid=\"00511286-3319-4f84-a168-e5fcdfb0de45\"",
            "",
            "5: cannot attach: it has no uuid; only a manifest by 'sysadm zone detach' has all that is needed",
        ),
        (
            " version=\"1\"",
            "",
            "5: cannot attach: it has no version; only a manifest by 'sysadm zone detach' has all that is needed",
        ),
        (
            "version=\"1\"",
            "version=\"2\"",
            "5: cannot attach: manifest version 2, this sysadm reads version 1",
        ),
        ("brand=\"lxc\"", "brand=\"Kvm!\"", "5: brand=\"Kvm!\" of <zone>: \"Kvm!\" is not a brand"),
        (" state=\"installed\"", "", "5: <zone> has no \"state\": the manifest is not whole"),
        (
            "state=\"installed\"",
            "state=\"asleep\"",
            "5: state=\"asleep\" of <zone>: \"asleep\" is not a zone state",
        ),
        (
            "name=\"web1\"",
            "name=\"../x\"",
            "5: name=\"../x\" of <zone>: zone name \"../x\": '/' is not allowed in a zone name",
        ),
        (
            "name=\"web1\"",
            "name=\"web1\" name=\"web2\"",
            "5: the file is not a valid XML document: attribute 'name' is already defined",
        ),
        (
            "uuid=\"0051",
            "uuid=\"x051",
            "5: uuid=\"x0511286-3319-4f84-a168-e5fcdfb0de45\" of <zone>: invalid character: found `x` at 0",
        ),
        (
            "autoboot=\"true\"",
            "autoboot=\"yes\"",
            "5: autoboot=\"yes\" of <zone>: provided string was not `true` or `false`",
        ),
        (
            "persistent=",
            "bootargs=\"\" persistent=",
            "5: attribute \"bootargs\" of <zone> is unknown, and would be lost",
        ),
        (
            "zonepath=\"/zones/web1\"",
            "zonepath=\"/zones/x\"",
            "5: zonepath=\"/zones/x\" of <zone>: the zone's root file system is not in it",
        ),
        ("<zone ", "<zone xmlns=\"urn:x\" ", "5: a manifest begins with <zone>, and this with <zone>"),
        (
            "at=\"2026-11-18T11:06:40.123Z\"",
            "at=\"today\"",
            "6: at=\"today\" is not a point in time: 2026-11-18T11:06:40Z",
        ),
        (
            "physcap=\"100663296\"",
            "physcap=\"96M\"",
            "7: physcap=\"96M\" of <mcap>: invalid digit found in string",
        ),
        ("<mcap physcap=\"100663296\"/>", "", "5: <mcap> is missing: the manifest is not whole"),
        ("<mcap ", "<mcap physcap=\"1\"/><mcap ", "7: <mcap> is there twice"),
        ("ncpu_max=\"2\"", "ncpu_max=\"3\"", "8: ncpu_min and ncpu_max must be the same here"),
        ("type=\"managed\"", "type=\"tunnel\"", "10: \"tunnel\" is not a type of network"),
        (
            "52:54:00:aa:bb:01",
            "52:54",
            "11: mac=\"52:54\" of <interface>: \"52:54\" is not a hardware address",
        ),
        (
            "dir:/zones",
            "/zones",
            "12: storage=\"/zones/web1/root\" of <filesystem>: \"/zones/web1/root\" is not a storage URI, such as file:/srv/web1.img",
        ),
        ("name=\"ro\"", "name=\"nosuid\"", "14: <fsoption> is unknown, and would be lost"),
        (
            "<fsoption name=\"ro\"/>",
            "<fsoption name=\"ro\"/><fsoption name=\"ro\"/>",
            "14: <fsoption> is there twice",
        ),
        (
            "readonly=\"false\"/>",
            "readonly=\"false\"><server name=\"x\"/></device>",
            "16: <server> is unknown, and would be lost",
        ),
        ("<obstacle ", "text<obstacle ", "18: no text is expected in <zone>"),
        ("<obstacle ", "<rctl name=\"zone.cpu-cap\"/><obstacle ", "18: <rctl> is unknown, and would be lost"),
        ("<software system=\"svr4\"/>", "", "5: <software> is missing: the manifest is not whole"),
        (
            "system=\"svr4\"",
            "system=\"pacman\"",
            "19: system=\"pacman\" of <software>: \"pacman\" is not a packaging system",
        ),
        (
            "<config platform=\"libvirt\">",
            "<config platform=\"libvirt\"><!-- x -->",
            "26: nothing but text is expected in <config>, in CDATA",
        ),
        ("</config>", "</config><config platform=\"sim\"/>", "29: <config> is there twice"),
        (
            "]]></config>",
            "&secret;]]>&secret;</config>",
            "29: the file is not a valid XML document: unknown entity reference 'secret'",
        ),
    ];
    for (from, to, what) in cases {
        assert_eq!(changed(from, to), format!("web1.xml:{what}"), "{to}");
    }
    assert_eq!(
        refusal(b"<domain type='kvm'/>"),
        "web1.xml:1: a manifest begins with <zone>, and this with <domain>"
    );
}

/// A manifest as zoneadm(8) writes it.
const SUNW: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE zone PUBLIC "-//Sun Microsystems Inc//DTD Zones//EN" "file:///usr/share/lib/xml/dtd/zonecfg.dtd.1">
<!--
    DO NOT EDIT THIS FILE.  Use zonecfg(1M) and zoneadm(1M) attach.
-->
<zone name="my-zone" zonepath="/zones/my-zone" autoboot="false" version="1">
  <inherited-pkg-dir directory="/lib"/>
  <network address="192.168.0.1" physical="bge0"/>
  <package name="SUNWcsr" version="11.10.0,REV=2005.01.21.15.53"/>
  <patch id="118833-36"/>
  <dev-perm name="null" uid="0" gid="3" mode="666" acl=""/>
</zone>
"#;

#[test]
fn a_manifest_of_solaris_or_illumos_is_told_apart() {
    let says = "web1.xml:6: cannot attach: it has no uuid; only a manifest by 'sysadm zone detach' has all that is needed";
    assert_eq!(refusal(SUNW.as_bytes()), says);
    for brand in ["ipkg", "kvm"] {
        let branded = SUNW.replace("version=\"1\">", &format!("brand=\"{brand}\" version=\"1\">"));
        assert_eq!(refusal(branded.as_bytes()), says);
    }
}

#[test]
fn no_dtd_and_no_entity_is_accepted() {
    let dtd =
        "web1.xml:1: the file has a DTD, which is not accepted; a manifest by 'sysadm zone detach' has none";
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10))).collect();
    for inner in [
        String::new(),
        "[<!ENTITY x 'y'>]".into(),
        format!("[<!ENTITY l0 'lol'>{laughs}]"),
        "[<!ENTITY x SYSTEM 'file:///etc/shadow'>]".into(),
        "[<!ENTITY % p SYSTEM 'http://127.0.0.1/x.dtd'> %p;]".into(),
    ] {
        assert_eq!(changed("<!--", &format!("<!DOCTYPE zone {inner}>\n<!--")), dtd);
    }
}

#[test]
fn a_document_that_is_huge_deep_or_wide_is_refused_in_time() {
    let begun = Instant::now();
    let too_long = "web1.xml: the file is larger than 4M, which no manifest is";
    assert_eq!(refusal(&vec![b' '; 100 << 20]), too_long);
    let attributes: String = (0..300_000).map(|n| format!(" a{n}=''")).collect();
    let zone = |inner: &str| text().replacen("<zone ", &format!("<zone{inner} "), 1);
    assert_eq!(refusal(zone(&attributes).as_bytes()), "web1.xml:5: an element has more than 1000 attributes");
    let spaced: String = (0..100_000).map(|n| format!(" a{n} = '>'")).collect();
    refusal(zone(&spaced).as_bytes());
    assert_eq!(
        refusal(zone(&(0..1_000_000).map(|n| format!(" a{n}=''")).collect::<String>()).as_bytes()),
        too_long
    );
    refusal("<zone>".repeat(600_000).as_bytes());
    let wide = attributes.split_inclusive("''").take(1000).collect::<String>();
    changed("<mcap ", &format!("{}<mcap ", format!("<x{wide}/>").repeat(400)));
    let spaces = |many: usize| (0..many).map(|n| format!("<x xmlns:a{n}='{n}'>")).collect::<String>();
    assert_eq!(changed("<mcap ", &spaces(60_000)), "web1.xml:7: more than 500 namespaces are declared");
    changed("<mcap ", &spaces(400));
    let depth = 200_000;
    let (open, close) = ("<x>".repeat(depth), "</x>".repeat(depth));
    for inner in ["<mcap physcap=\"100663296\"/>", "<fsoption name=\"ro\"/>"] {
        changed(inner, &format!("{open}{close}"));
    }
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}

/// Endless bytes, counted.
struct Endless(usize);

impl Read for Endless {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        bytes.fill(b' ');
        self.0 += bytes.len();
        Ok(bytes.len())
    }
}

#[test]
fn a_source_without_end_is_not_read_without_end() {
    let mut endless = Endless(0);
    let error = read_from(&mut endless, "standard input").unwrap_err();
    assert_eq!(error.to_string(), "standard input: the file is larger than 4M, which no manifest is");
    assert!(endless.0 <= LIMIT + 1, "{} bytes were taken", endless.0);
    assert_eq!(read_from(text().as_bytes(), "x"), Ok((web1(), written())));
}

/// Fails when read, as a folder does.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::from(std::io::ErrorKind::IsADirectory))
    }
}

#[test]
fn a_source_that_cannot_be_read_is_named_and_steers_no_terminal() {
    let error = read_from(Broken, "/srv/\u{1b}[2Jx").unwrap_err();
    assert_eq!(error.to_string(), "/srv/ [2Jx: it cannot be read: is a directory");
    let odd = changed("brand=\"lxc\"", &format!("brand=\"{}\"", "\u{9b}2J".repeat(1000)));
    assert!(odd.ends_with('…'), "{odd}");
}
