//! Every state with every event.

use super::*;
use crate::host::fake::FakeHost;
use crate::model::{BlockerKind, CheckRequest, Method, PendingLoad, Shortage};
use crate::store::tests::sample::{self, uri};

/// A row for each state, a column for each event: the next state, or a dot if the event is not allowed.
const TABLE: &str = "
            select   found    check    refuse   accept wait    relocate start   step    retry    finish relocated relocation-failed skip    fail   lose
  selected  .        selected checking .        ready  waiting .        .       .       .        .      .         .                 skipped failed .
  checking  .        .        checking checking ready  waiting .        .       .       .        .      .         .                 skipped failed .
  ready     .        .        .        .        .      .       .        running .       .        .      .         selected          skipped failed .
  waiting   selected .        .        .        .      waiting ready    .       .       .        .      .         .                 skipped failed .
  running   .        .        .        .        .      .       .        .       running retrying done   selected  selected          .       failed unknown
  retrying  .        .        .        .        .      .       .        running .       .        .      .         selected          .       failed .
  done      .        .        .        .        .      .       .        .       .       .        .      .         .                 .       .      .
  skipped   .        .        .        .        .      .       .        .       .       .        .      .         .                 .       .      .
  failed    .        .        .        .        .      .       .        .       .       .        .      .         .                 .       .      .
  unknown   .        .        .        .        .      .       .        .       .       .        .      .         .                 .       .      .
";

fn wait() -> Wait {
    let shortage = Some(Shortage { missing: 1, may_free_up: false });
    let missing = Blocker { shortage, ..Blocker::new(BlockerKind::Memory, "no room") };
    Wait::of([("h2", std::slice::from_ref(&missing))], &"no room".into()).unwrap()
}

fn states() -> [JobState; 10] {
    let why = || Message::from("why");
    [
        JobState::Selected,
        JobState::Checking,
        JobState::Ready,
        JobState::Waiting(wait()),
        JobState::Running,
        JobState::Retrying(why()),
        JobState::Done(Ending::Booted, None),
        JobState::Skipped(why()),
        JobState::Failed(why()),
        JobState::Unknown(why()),
    ]
}

fn events() -> [JobEvent; 16] {
    let why = || Message::from("why");
    let (record, manifest) = (sample::evacuated("web"), sample::manifest("web"));
    let hosts = ["h1", "h2"].map(|name| FakeHost::new(name).0);
    let [from, to] = hosts;
    let request = CheckRequest {
        manifest: manifest.clone(),
        method: Method::Live,
        from: "h1".to_owned(),
        home: None,
        overwrite: false,
        force: false,
        pending: PendingLoad::default(),
        disk: 0,
        mappings: Vec::new(),
        owners: Vec::new(),
    };
    let task =
        Arc::new(Task { zone: manifest.zone.clone(), record: manifest, request, storage: vec![], from, to });
    [
        JobEvent::Select,
        JobEvent::Found(Box::new(record.clone())),
        JobEvent::Check(uri("rads://h2")),
        JobEvent::Refuse(HostRefusal { target: uri("rads://h2"), blockers: Vec::new() }),
        JobEvent::Accept(None),
        JobEvent::Wait(wait()),
        JobEvent::Relocate(uri("rads://h3"), task),
        JobEvent::Start,
        JobEvent::Step(Step::Transfer),
        JobEvent::Retry(why()),
        JobEvent::Finish(Ending::Booted, None),
        JobEvent::Relocated(Box::new(record)),
        JobEvent::RelocationFailed(why()),
        JobEvent::Skip(why()),
        JobEvent::Fail(None, why()),
        JobEvent::Lose(None, why()),
    ]
}

#[test]
fn every_state_allows_what_the_table_says_and_nothing_else() {
    let mut lines = TABLE.trim().lines();
    let columns: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    let events = events();
    assert_eq!(columns, events.each_ref().map(JobEvent::name), "a column for each event");
    let rows: Vec<Vec<_>> = lines.map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), states().len(), "a row for each state");
    for (state, row) in states().iter().zip(rows) {
        assert_eq!(state.name(), row[0]);
        for (event, expected) in events.iter().zip(&row[1..]) {
            let next = state.next(event);
            let name = next.as_ref().map_or(".", JobState::name);
            assert_eq!(name, *expected, "{} {}", state.name(), event.name());
            assert!(
                next.is_ok() || next == Err(IllegalTransition { state: state.name(), event: event.name() })
            );
        }
    }
}

#[test]
fn what_is_final_stays_as_it_is_and_all_else_can_end() {
    for state in states() {
        let can = |event: &JobEvent| state.next(event).is_ok();
        assert_eq!(state.is_final(), !events().iter().any(can), "{}", state.name());
        assert!(state.is_final() || can(&JobEvent::Fail(None, Message::default())), "{}", state.name());
    }
}
