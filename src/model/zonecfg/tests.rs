//! What zonecfg prints, what it accepts, and what is not a configuration.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/zonecfg/", $name, ".cfg"))
    };
}

fn parse(text: &str) -> Zonecfg {
    text.parse().unwrap()
}

#[test]
fn what_real_systems_export_is_printed_as_it_was() {
    for text in [
        fixture!("omnios-kvm"),
        fixture!("omnios-bhyve"),
        fixture!("smartos-bhyve"),
        fixture!("solaris11-default"),
    ] {
        assert_eq!(parse(text).to_string(), text);
    }
}

#[test]
fn what_people_write_for_zonecfg_is_printed_without_its_indentation() {
    for text in [fixture!("solaris-kz"), fixture!("omnios-by-hand")] {
        let plain: String = text.lines().map(|line| format!("{}\n", line.trim())).collect();
        assert_eq!(parse(text).to_string(), plain);
    }
    assert_eq!(parse("# mine\n\ncreate -b\n\t# x\nset pool=a"), parse("create -b\nset pool=a\n"));
}

#[test]
fn every_form_of_an_export_is_told_apart_and_printed_as_it_was() {
    // The order and quotes are those of illumos: properties of the zone itself are never quoted.
    let text = "create -b
set zonepath=/zones/my zone
set brand=ipkg
set autoboot=false
set bootargs=-m verbose
set pool=
set limitpriv=default,!net_access
set ip-type=shared
set hostid=0x65fd0d61
set fs-allowed=ufs,pcfs
add fs
set dir=/opt/my data
set special=\"/tank/my data\"
set type=ufs
add options \"size=1G\"
add options ro
end
add net
set address=192.168.0.1/24
set physical=bge0
set defrouter=192.168.0.254
end
add capped-memory
set physical=1G
end
add rctl
set name=zone.max-swap
add value (priv=privileged,limit=1073741824,action=deny)
add value ()
end
add attr
set name=comment
set type=string
set value=\"two words\"
end
add dedicated-cpu
set ncpus=1-2
set importance=10
end
add security-flags
set lower=none
set default=aslr
set upper=all
end
add admin
set user=zadmin
set auths=login,manage
end
add anet
set lower-link=auto
add mac
set mac-address=auto
end
end
add some-day
set colour=blue
end
";
    let config = parse(text);
    assert_eq!(config.to_string(), text);
    assert_eq!((config.get("bootargs"), config.get("hostname")), (Some("-m verbose"), None));
    let [fs] = config.resources("fs").collect::<Vec<_>>()[..] else { panic!("one fs") };
    assert_eq!((get(fs, "dir"), get(fs, "special")), (Some("/opt/my data"), Some("/tank/my data")));
    assert_eq!(
        fs[3..],
        [
            Item::Add("options".parse().unwrap(), "size=1G".parse().unwrap()),
            Item::Add("options".parse().unwrap(), "ro".parse().unwrap()),
        ]
    );
    let [anet] = config.resources("anet").collect::<Vec<_>>()[..] else { panic!("one anet") };
    assert!(matches!(&anet[1], Item::Resource(kind, _) if kind.as_str() == "mac"));
}

#[test]
fn a_value_that_is_made_has_quotes_where_zonecfg_might_take_it_for_more_than_that() {
    let [add, set] = ["options", "special"].map(|name| name.parse::<Name>().unwrap());
    let values = ["ro", "size=1G", "a b", "default,!net_access", "a;b", "[ro,rw]", "(a)", ""];
    let values = values.map(|text| text.parse::<Value>().unwrap());
    let adds = values.iter().map(|value| Item::Add(add.clone(), value.clone()).to_string());
    assert_eq!(
        adds.collect::<String>().replace("add options ", ""),
        "ro\n\"size=1G\"\n\"a b\"\ndefault,!net_access\n\"a;b\"\n\"[ro,rw]\"\n\"(a)\"\n\"\"\n"
    );
    assert_eq!(Item::Set(set.clone(), values[1].clone()).to_string(), "set special=\"size=1G\"\n");
    assert_eq!(
        Item::AddParts(add, vec![(set.clone(), values[0].clone()), (set, values[3].clone())]).to_string(),
        "add options (special=ro,special=\"default,!net_access\")\n"
    );
    assert_eq!(
        "a\"b".parse::<Value>().unwrap_err(),
        "'\"' is in the value \"a\\\"b\", which zonecfg has in none"
    );
}

#[test]
fn what_is_no_export_is_told_with_its_line() {
    let create = "'create -b' is expected first, as 'zonecfg -z ZONE export' prints it";
    let long = "x".repeat(1000);
    let cases = [
        ("", format!("1: {create}")),
        ("\n\n# nothing\n", format!("3: {create}")),
        ("set pool=a\n", format!("1: {create}")),
        ("create\nset pool=a\n", format!("1: {create}")),
        ("<zone name='x'/>", format!("1: {create}")),
        (
            "create -b\ncreate -b\n",
            "2: \"create\" is not expected in an export: it has set, add and end".into(),
        ),
        (
            "create -b\nset pool=a\nverify\n",
            "3: \"verify\" is not expected in an export: it has set, add and end".into(),
        ),
        ("create -b\nset pool\n", "2: 'set' wants PROPERTY=VALUE".into()),
        ("create -b\nset po ol=a\n", "2: \"po ol\" is not the name of a resource or property".into()),
        (
            "create -b\nset linkname = net0\n",
            "2: \"linkname \" is not the name of a resource or property".into(),
        ),
        ("create -b\nset pool=\"a\n", "2: a quote is not closed".into()),
        (
            "create -b\nset pool=a\"b\n",
            "2: '\"' is in the value \"a\\\"b\", which zonecfg has in none".into(),
        ),
        (
            "create -b\nset pool=\u{1b}[2J\n",
            "2: '\\u{1b}' is in the value \"\\u{1b}[2J\", which zonecfg has in none".into(),
        ),
        (
            "create -b\r\nset pool=a\r\n",
            "1: the file has DOS line endings (CR LF); convert it with dos2unix".into(),
        ),
        ("create -b\nend\n", "2: this end belongs to no resource".into()),
        (
            "create -b\nadd net; set physical=x; end\n",
            "2: \"net;\" is not the name of a resource or property".into(),
        ),
        ("create -b\nadd net\nset physical=x\n", "3: 'add net' has no 'end'".into()),
        ("create -b\nadd\n", "2: \"\" is not the name of a resource or property".into()),
        ("create -b\nadd rctl\nadd value (limit)\n", "3: (NAME=VALUE,...) is expected".into()),
        ("create -b\nadd rctl\nadd value (limit=1\n", "3: ')' is missing".into()),
        ("create -b\nadd rctl\nadd value (limit=\"1)\n", "3: a quote is not closed".into()),
        ("create -b\nadd rctl\nadd value (limit=\"1\"x)\n", "3: ',' or ')' is expected after a value".into()),
        ("create -b\nadd rctl\nadd value (limit=1) x\n", "3: ',' or ')' is expected after a value".into()),
    ];
    for (text, what) in cases {
        assert_eq!(text.parse::<Zonecfg>().unwrap_err().to_string(), what, "{text}");
    }
    let error = format!("create -b\n{long}").parse::<Zonecfg>().unwrap_err();
    assert_eq!(error.what.len(), 200);
    let deep = format!("create -b\n{}", "add net\n".repeat(100_000));
    assert_eq!(
        deep.parse::<Zonecfg>().unwrap_err().to_string(),
        "10: more than 8 resources are within each other"
    );
}

fn name() -> impl Strategy<Value = Name> {
    "[a-zA-Z][a-zA-Z0-9._-]{0,8}".prop_map(|text| text.parse().unwrap())
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ a-z0-9=,;()#<>\\[\\]/%é東🙂-]{0,12}", "[^\"\\p{Cc}]{0,12}"];
    (text, any::<bool>()).prop_map(|(text, quoted)| Value::new(&text, quoted).unwrap())
}

fn item() -> impl Strategy<Value = Item> {
    let leaf = prop_oneof![
        (name(), value()).prop_map(|(name, value)| Item::Set(name, value)),
        (name(), value()).prop_map(|(name, value)| Item::Add(name, value)),
        (name(), vec((name(), value()), 0..4)).prop_map(|(name, parts)| Item::AddParts(name, parts)),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        (name(), vec(inner, 0..4)).prop_map(|(kind, items)| Item::Resource(kind, items))
    })
}

proptest! {
    #[test]
    fn every_configuration_reads_back_as_the_same(items in vec(item(), 0..8)) {
        let config = Zonecfg { items };
        let text = config.to_string();
        prop_assert_eq!(text.parse(), Ok(config), "{}", text);
        prop_assert_eq!(text.parse::<Zonecfg>().unwrap().to_string(), text);
    }

    #[test]
    fn any_text_is_a_configuration_or_an_error_on_one_line(
        lines in vec("(create -b|set |add |end|[a-z=\"(), \t\r\u{7f}-]{0,6}){0,4}", 0..8),
    ) {
        let text = format!("create -b\n{}", lines.join("\n"));
        match text.parse::<Zonecfg>() {
            Ok(config) => prop_assert_eq!(config.to_string().parse(), Ok(config)),
            Err(error) => prop_assert!(!error.what.contains(char::is_control)),
        }
    }
}
