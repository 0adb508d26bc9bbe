//! Markers and fingerprints of storage, on files and folders of this machine.

use super::*;

fn disk(source: StorageUri, readonly: bool) -> Disk {
    Disk::new("vda", source, readonly)
}

async fn problem(marks: &Markers, disk: &Disk, change: impl FnOnce(&mut ProbeTicket)) -> Option<String> {
    let mut ticket = marks.leave(std::slice::from_ref(disk));
    change(&mut ticket);
    let view = verify(&ticket).await.remove(0);
    marks.take_away(&ticket);
    view.seen.problem
}

#[tokio::test]
async fn the_same_folder_is_recognised_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.img");
    std::fs::write(&path, "x").unwrap();
    let marks = Markers::default();
    assert_eq!(problem(&marks, &disk(StorageUri::file(path), false), |_| ()).await, None);
    assert_eq!(problem(&marks, &disk(StorageUri::dir(folder.path()), false), |_| ()).await, None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn storage_that_nobody_proves_must_be_there_and_of_its_kind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.img");
    std::fs::write(&path, "x").unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let rbd = |server: String| StorageUri::network("rbd", vec![server], "pool/a").unwrap();
    let cases = [
        (StorageUri::file(path.clone()), None),
        (StorageUri::dir(folder.path()), None),
        (rbd(server.local_addr().unwrap().to_string()), None),
        (StorageUri::file(folder.path()), Some("is there, but it is no file")),
        (StorageUri::dir(path.clone()), Some("is there, but it is no folder")),
        (StorageUri::device(path.clone()), Some("is there, but it is no block device")),
        (StorageUri::file(folder.path().join("none.img")), Some("is missing")),
        (StorageUri::file(path.join("below")), Some("cannot be looked at: Not a directory")),
        (rbd("no port".into()), Some("none of its servers can be reached (no port:3300, no port:6789)")),
    ];
    let disks: Vec<_> = cases.iter().map(|(source, _)| disk(source.clone(), false)).collect();
    let found: Vec<_> = find(&disks).await.into_iter().map(|view| view.seen.problem).collect();
    let expected: Vec<_> = cases.iter().map(|(_, problem)| problem.map(str::to_owned)).collect();
    assert_eq!(found, expected);
}

/// libvirt boots a zone whose `file` is a block device.
#[tokio::test]
async fn a_block_device_that_is_called_a_file_is_known_as_what_it_is() {
    let all = std::fs::read_dir("/dev").unwrap().map(|entry| entry.unwrap().path());
    let is_block = |path: &PathBuf| path.metadata().is_ok_and(|about| about.file_type().is_block_device());
    let device = all.into_iter().find(is_block).expect("this machine has a block device");
    let disk = disk(StorageUri::file(device), false);
    assert_eq!(find(std::slice::from_ref(&disk)).await[0].seen.problem, None);
    // No marker beside it: every host has a /dev of its own.
    let proof = Markers::default().leave(&[disk]).marks.remove(0).proof;
    assert!(matches!(proof, Proof::Fingerprint(_) | Proof::None { .. }), "{proof:?}");
}

#[tokio::test]
async fn a_copy_at_the_same_path_is_not_taken_for_the_same() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&here, &there] {
        std::fs::write(folder.path().join("a.img"), "the same bytes").unwrap();
    }
    let disk = disk(StorageUri::file(here.path().join("a.img")), false);
    // The other host sees another folder under this path.
    let other = there.path().to_owned();
    let marks = Markers::default();
    let seen = problem(&marks, &disk, |ticket| {
        let Proof::File { path, .. } = &mut ticket.marks[0].proof else { panic!("no mark") };
        *path = other.join(path.file_name().unwrap());
        ticket.marks[0].disk.source = StorageUri::file(other.join("a.img"));
    });
    assert_eq!(seen.await.as_deref(), Some("is there, but it is not the same storage"));
}

#[tokio::test]
async fn what_is_missing_is_said_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let gone = disk(StorageUri::file(folder.path().join("none.img")), false);
    let seen = problem(&Markers::default(), &gone, |_| ()).await;
    assert_eq!(seen.as_deref(), Some("is missing on its own host"));
}

#[tokio::test]
async fn a_read_only_file_is_the_same_if_its_content_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.iso");
    std::fs::write(&path, vec![7; 3 << 20]).unwrap();
    let iso = disk(StorageUri::file(path.clone()), true);
    assert_eq!(problem(&Markers::default(), &iso, |_| ()).await, None);
    let seen = problem(&Markers::default(), &iso, |_| std::fs::write(&path, vec![8; 3 << 20]).unwrap()).await;
    assert_eq!(seen.as_deref(), Some("is there, but with another content"));
}

#[tokio::test]
async fn a_peer_can_make_this_host_neither_read_nor_delete_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s").unwrap();
    let ticket = ProbeTicket {
        marks: vec![Mark {
            disk: disk(StorageUri::file(folder.path().join("a.img")), false),
            proof: Proof::File { path: secret.clone(), content: "s".into() },
        }],
    };
    assert_eq!(verify(&ticket).await[0].seen.problem.as_deref(), Some("the mark is not beside it"));
    Markers::default().take_away(&ticket);
    assert!(secret.exists());
}

#[tokio::test]
async fn what_would_keep_its_reader_waiting_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join(".sysadm-probe-pipe");
    let mode = rustix::fs::Mode::from(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let mark = |proof| Mark { disk: disk(StorageUri::file(pipe.clone()), false), proof };
    let file = Proof::File { path: pipe.clone(), content: "x".into() };
    let ticket = ProbeTicket { marks: vec![mark(Proof::Fingerprint("1:0".into())), mark(file)] };
    let views = verify(&ticket).await;
    let problems: Vec<_> = views.into_iter().map(|view| view.seen.problem.unwrap()).collect();
    assert!(problems[0].contains("neither a file nor a block device"), "{problems:?}");
    assert_eq!(problems[1], "is there, but it is not the same storage");
}

#[test]
fn marks_are_gone_when_their_host_ends() {
    let folder = tempfile::tempdir().unwrap();
    let marks = Markers::default();
    marks.leave(&[disk(StorageUri::dir(folder.path()), false)]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(marks);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// What another host finds of a disk; `change` makes its storage differ.
async fn seen(disk: &Disk, change: impl FnOnce()) -> Seen {
    let marks = Markers::default();
    let ticket = marks.leave(std::slice::from_ref(disk));
    change();
    let view = verify(&ticket).await.remove(0);
    marks.take_away(&ticket);
    view.seen
}

#[tokio::test]
async fn a_medium_that_may_be_missing_stays_behind_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.iso");
    let iso = disk(StorageUri::file(path.clone()), true).with_presence(Presence::Optional);
    let nowhere = Seen::note("is missing on its own host; the zone does without it");
    assert_eq!(seen(&iso, || ()).await, nowhere);
    let behind = Seen::note("stays behind: it is missing; the zone does without it");
    assert_eq!(find(std::slice::from_ref(&iso)).await[0].seen, behind);
    std::fs::write(&path, "a").unwrap();
    assert_eq!(seen(&iso, || ()).await, Seen::default());
    let other = seen(&iso, || std::fs::write(&path, "b").unwrap()).await;
    assert_eq!(other, Seen::problem("is there, but with another content"));
    assert_eq!(seen(&iso, || std::fs::remove_file(&path).unwrap()).await, behind);
    // Contents that are written to do not matter.
    std::fs::write(&path, "a").unwrap();
    let floppy = Disk { readonly: false, ..iso };
    assert_eq!(seen(&floppy, || std::fs::remove_file(&path).unwrap()).await, behind);
}

#[tokio::test]
async fn what_is_made_at_the_next_boot_needs_only_its_folder_but_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nvram/VARS.fd");
    let nvram = disk(StorageUri::file(path.clone()), false).with_presence(Presence::Made);
    let problem = Seen::problem("cannot be made there: its folder is missing");
    assert_eq!(seen(&nvram, || ()).await, problem);
    assert_eq!(find(std::slice::from_ref(&nvram)).await[0].seen, problem);
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    assert_eq!(seen(&nvram, || ()).await, Seen::default());
    assert_eq!(find(std::slice::from_ref(&nvram)).await[0].seen, Seen::default());
    std::fs::write(&path, "boot entries").unwrap();
    assert_eq!(seen(&nvram, || ()).await, Seen::default());
    let lost = seen(&nvram, || std::fs::remove_file(&path).unwrap()).await;
    assert_eq!(lost, Seen::problem("is missing"));
}

#[tokio::test]
async fn a_peer_cannot_say_of_a_disk_that_it_need_not_be_there() {
    let needed = disk(StorageUri::file("/no/such.img"), false);
    let ticket = ProbeTicket { marks: vec![Mark { disk: needed, proof: Proof::Absent }] };
    assert_eq!(verify(&ticket).await[0].seen, Seen::problem("is missing on its own host"));
}

#[test]
fn a_path_is_named_once() {
    let view = |seen| DiskView { source: StorageUri::file("/srv/x.img"), seen };
    let gone = Markers::default().leave(&[disk(StorageUri::file("/srv/no-such/x.img"), false)]);
    let Proof::None { reason } = &gone.marks[0].proof else { panic!("{gone:?}") };
    let blocker = view(Seen::problem(reason.clone())).blocker().unwrap();
    assert_eq!(blocker.reason, "storage /srv/x.img is missing on its own host");
    let note = view(Seen::note("stays behind")).note();
    assert_eq!(note.as_deref(), Some("storage /srv/x.img stays behind"));
}
