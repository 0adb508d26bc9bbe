//! Clusters of Ganeti: read, placed, written.

use std::collections::BTreeSet;

use sysadm::plan::ganeti::Cluster;
use sysadm::plan::{Assignment, HostIx, Placement, ZoneIx, place};

const TEXT: &str = "\
default|uuid-1|preferred||
other|uuid-2|preferred||

n1|1000|0|700|9000|8000|8|Y|uuid-1|1|hv:new
n2|1000|100|700|9000|8000|8|N|uuid-1|1|hv:old
n3|1000|100|500|9000|8000|8|M|uuid-1|1|hv:newer
n4|1000|100|900|9000|8000|8|N|uuid-2|1|hv:new

shared|100|10|1|running|Y|n1||rbd|web:a,x|1
mirrored|100|10|1|running|Y|n1|n2|drbd||1
local|100|10|1|running|Y|n1||plain||1
down|500|10|1|ADMIN_down|Y|n3||ext|web:a|1

htools:iextags:web
htools:migration:hv
htools:allowmigration:hv:new::hv:newer
htools:allowmigration:hv:new::hv:old

|128,1,1024,1,1,1|128,1,1024,1,1,1;32768,8,1048576,16,8,12|drbd,plain|4.0|32.0
default|128,1,1024,1,1,1|128,1,1024,1,1,1;32768,8,1048576,16,8,12|drbd,plain|2.5|32.0
";

#[test]
fn a_cluster_becomes_a_fleet() {
    let cluster = Cluster::parse(TEXT).unwrap();
    let (fleet, question) = (cluster.fleet(), cluster.question());
    assert_eq!(question.drained, [HostIx(0)]);
    assert_eq!(question.zones, [ZoneIx(0), ZoneIx(1), ZoneIx(2)]);
    assert_eq!(cluster.rules().cpu_ratio, Some(2.5));
    let web = BTreeSet::from(["web:a".to_owned()]);
    assert_eq!((&fleet.zones[0].apart, &fleet.zones[3].apart, &fleet.zones[0].targets), (&web, &web, &None));
    assert_eq!(fleet.zones[1].targets, Some(vec!["n2".to_owned()]));
    assert_eq!(fleet.zones[2].targets, Some(Vec::new()));
    assert!(!fleet.zones[3].running);
    // What is recorded and what is reported, the less of both, and one MiB stays free.
    assert_eq!(fleet.hosts[1].memory_free, 699 << 20);
}

#[test]
fn a_placement_is_written_back() {
    let cluster = Cluster::parse(TEXT).unwrap();
    let placement = place(&cluster.fleet(), &cluster.rules(), &cluster.question());
    // The other node of the group holds what is kept apart from the first one; the third one cannot move.
    assert_eq!(
        placement.moves,
        [Assignment { zone: ZoneIx(0), to: HostIx(1) }, Assignment { zone: ZoneIx(1), to: HostIx(1) },]
    );
    let text = cluster.with(&placement);
    let changed: Vec<_> =
        text.lines().zip(TEXT.lines()).filter(|(new, old)| new != old).map(|(new, _)| new).collect();
    assert_eq!(
        changed,
        [
            "n2|1000|100|500|9000|8000|8|N|uuid-1|1|hv:old",
            "shared|100|10|1|running|Y|n2||rbd|web:a,x|1",
            "mirrored|100|10|1|running|Y|n2|n1|drbd||1",
        ]
    );
    assert!(Cluster::parse(&text).is_ok());
}

#[test]
fn nothing_moved_is_the_same_text() {
    let cluster = Cluster::parse(TEXT).unwrap();
    assert_eq!(cluster.with(&Placement::default()), TEXT);
}

#[test]
fn a_node_can_be_taken_offline() {
    let cluster = Cluster::parse(TEXT).unwrap().offline(&["n3"]);
    assert_eq!(cluster.question().drained, [HostIx(0), HostIx(2)]);
    assert_eq!(Cluster::parse(&cluster.with(&Placement::default())).unwrap().question(), cluster.question());
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = |from: &str, to: &str| Cluster::parse(&TEXT.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(wrong("|n1||rbd", "|n9||rbd"), "line 9: there is no node \"n9\"");
    assert_eq!(wrong("uuid-1|1|hv:new", "uuid-7|1"), "line 4: there is no group \"uuid-7\"");
    assert_eq!(wrong("n2|1000", "n2|many"), "line 5: memory \"many\" is not a number");
    assert_eq!(wrong("|n1||plain", "|n1||tape"), "line 11: \"tape\" is not a disk template");
    assert_eq!(wrong("|n1|n2|drbd", "|n2|n2|drbd"), "line 10: primary and secondary node are the same");
    assert_eq!(
        wrong("running|Y|n1||rbd|web:a,x|1", "running"),
        "line 9: no primary node: field 7 is missing"
    );
    assert_eq!(wrong("|2.5|", "|x|"), "line 20: ratio of virtual processors \"x\" is not a number");
}

#[test]
fn a_zone_that_goes_to_its_secondary_leaves_the_old_node_as_that() {
    let cluster = Cluster::parse(&TEXT.replacen("|n1||rbd", "|n1|n2|rbd", 1)).unwrap();
    let text = cluster.with(&Placement {
        moves: vec![Assignment { zone: ZoneIx(0), to: HostIx(1) }],
        unplaced: Vec::new(),
    });
    assert!(text.contains("shared|100|10|1|running|Y|n2|n1|rbd"), "{text}");
}

#[test]
fn sizes_beyond_all_bounds_are_written_so_that_they_are_read() {
    let huge = u64::MAX.to_string();
    let text = TEXT.replacen("n2|1000|100|700", &format!("n2|{huge}|100|{huge}"), 1).replacen(
        "|100|10|",
        &format!("|{huge}|10|"),
        1,
    );
    let cluster = Cluster::parse(&text).unwrap();
    let moved =
        Placement { moves: vec![Assignment { zone: ZoneIx(0), to: HostIx(2) }], unplaced: Vec::new() };
    assert!(Cluster::parse(&cluster.with(&moved)).is_ok());
}
