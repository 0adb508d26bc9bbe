//! Connections to other hosts that break: before a request arrives, or before its answer does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use std::time::Duration;
use sysadm::host::{Call, DiskView, Exported, Host, HostError, Local, Pending, ProbeTicket};
use sysadm::model::{
    Blocker, CheckRequest, Facts, HostId, InterfaceMapping, Inventory, Location, Manifest, Message, Method,
    Millis, Replica, Takeover, Zone, ZoneName,
};
use sysadm::model::{Progress, Sent, StreamId, Token};
use sysadm::plan::Survey;
use sysadm::transport::ByteStream;
use tokio::sync::watch;
use uuid::Uuid;

use super::world::{BOTH_WAYS, MIGRATIONS, World, ends, state_of, until};
use sysadm::platform::sim::{Effect, Fault, Operation};
use sysadm::store::{Direction, MoveState};

/// What is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The request.
    Question,
    /// The request is carried out, but its answer is lost.
    Answer,
}

/// When, what, and whether the connection is dead from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Break {
    pub at: usize,
    pub loss: Loss,
    pub for_ever: bool,
}

/// The connections of a world; clones are the same.
#[derive(Clone, Default)]
pub struct Lines {
    inner: Arc<Inner>,
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Whole,
    /// What is sent arrives when the connection works again.
    Halted,
    /// What is sent is lost, and streams end.
    Cut,
}

#[derive(Default)]
struct Inner {
    asked: AtomicUsize,
    laid: AtomicUsize,
    /// How often `progress` was asked while it is not answered.
    unanswered: AtomicUsize,
    no_progress: AtomicBool,
    /// The agents are too old for surveys and migrations.
    old: AtomicBool,
    state: watch::Sender<Line>,
    broken: std::sync::Mutex<Option<Break>>,
}

impl Lines {
    pub fn break_at(&self, at: Break) {
        *self.inner.broken.lock().unwrap() = Some(at);
        self.inner.asked.store(0, Ordering::SeqCst);
    }

    pub fn repair(&self) {
        self.inner.broken.lock().unwrap().take();
        self.inner.state.send_replace(Line::Whole);
    }

    /// From now on nothing gets through, and both ends know it.
    pub fn cut(&self) {
        self.inner.state.send_replace(Line::Cut);
    }

    /// For that time nothing gets through, and neither end knows it.
    pub fn halt(&self, time: Duration) {
        self.inner.state.send_replace(Line::Halted);
        let lines = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            lines.repair();
        });
    }

    /// Whether what is sent now gets through, once that is known.
    async fn carries(&self) -> bool {
        let mut state = self.inner.state.subscribe();
        let known = state.wait_for(|line| *line != Line::Halted).await;
        known.is_ok_and(|line| *line == Line::Whole)
    }

    /// A stream to another host, which ends with the connection.
    fn stream(&self, far: ByteStream) -> ByteStream {
        let (near, middle) = tokio::io::duplex(1 << 16);
        let mut state = self.inner.state.subscribe();
        tokio::spawn(async move {
            let relay = sysadm::transport::relay(Box::new(middle), far);
            tokio::select! {
                _ = relay => {}
                _ = state.wait_for(|line| *line == Line::Cut) => {}
            }
        });
        Box::new(near)
    }

    /// The number of requests since the last break was set.
    pub fn asked(&self) -> usize {
        self.inner.asked.load(Ordering::SeqCst)
    }

    /// From now on requests for progress are never answered.
    pub fn leave_progress_unanswered(&self) {
        self.inner.no_progress.store(true, Ordering::SeqCst);
    }

    /// From now on the agents at the far ends are too old for surveys and migrations.
    pub fn lead_to_old_agents(&self) {
        self.inner.old.store(true, Ordering::SeqCst);
    }

    pub fn progress_is_awaited(&self) -> bool {
        self.inner.unanswered.load(Ordering::SeqCst) > 0
    }

    /// How often a host was connected to.
    pub fn laid(&self) -> usize {
        self.inner.laid.load(Ordering::SeqCst)
    }

    /// Whether the connections work, as far as is known.
    fn are_whole(&self) -> bool {
        let asked = self.inner.asked.load(Ordering::SeqCst);
        let is_dead = |at: &Break| at.for_ever && asked > at.at;
        *self.inner.state.borrow() != Line::Cut
            && !self.inner.broken.lock().unwrap().as_ref().is_some_and(is_dead)
    }

    pub fn lay(&self, host: Arc<Local>) -> Result<Arc<dyn Host>, Message> {
        self.inner.laid.fetch_add(1, Ordering::SeqCst);
        let lossy = Lossy { host, lines: self.clone() };
        if *self.inner.state.borrow() == Line::Cut {
            return Err("no line".into());
        }
        match lossy.lost() {
            Some(_) => Err("no line".into()),
            None => Ok(Arc::new(lossy)),
        }
    }
}

struct Lossy {
    host: Arc<Local>,
    lines: Lines,
}

impl Lossy {
    fn lost(&self) -> Option<Loss> {
        let number = self.lines.inner.asked.fetch_add(1, Ordering::SeqCst);
        let broken = (*self.lines.inner.broken.lock().unwrap())?;
        match number.cmp(&broken.at) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(broken.loss),
            std::cmp::Ordering::Greater => broken.for_ever.then_some(Loss::Question),
        }
    }

    /// The answer of an old agent to a newer request.
    fn not_if_it_is_old(&self) -> Result<(), HostError> {
        if !self.lines.inner.old.load(Ordering::SeqCst) {
            return Ok(());
        }
        let question = serde_json::json!({"a_question_of_tomorrow": {}});
        let unknown = serde_json::from_value::<Call>(question).unwrap_err();
        Err(HostError::unsupported(self.host.name(), unknown.to_string()))
    }

    fn nothing<T>(&self) -> Result<T, HostError> {
        Err(HostError::NoAnswer { host: self.host.name().to_owned(), reason: "the line is dead".into() })
    }

    async fn ask<T>(&self, question: impl Future<Output = Result<T, HostError>>) -> Result<T, HostError> {
        if !self.lines.carries().await {
            return self.nothing();
        }
        match self.lost() {
            None => {
                let mut state = self.lines.inner.state.subscribe();
                let answer = tokio::select! {
                    answer = question => answer,
                    // What was begun there is not reported any more.
                    _ = state.wait_for(|line| *line == Line::Cut) => return self.nothing(),
                };
                if self.lines.carries().await { answer } else { self.nothing() }
            }
            Some(Loss::Question) => self.nothing(),
            Some(Loss::Answer) => {
                let _ = question.await;
                self.nothing()
            }
        }
    }
}

struct Knocks {
    inner: Box<dyn Pending>,
    lines: Lines,
}

#[async_trait::async_trait]
impl Pending for Knocks {
    async fn accept(&mut self) -> Result<ByteStream, HostError> {
        Ok(self.lines.stream(self.inner.accept().await?))
    }
}

macro_rules! pass_on {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $reply:ty;)+) => {
        #[async_trait::async_trait]
        impl Host for Lossy {
            fn name(&self) -> &str {
                self.host.name()
            }

            fn id(&self) -> HostId {
                self.host.id()
            }

            fn is_connected(&self) -> bool {
                self.lines.are_whole()
            }

            $(async fn $name(&self, $($arg: $type),*) -> Result<$reply, HostError> {
                self.ask(self.host.$name($($arg),*)).await
            })+

            async fn survey(&self, measure: bool) -> Result<Survey, HostError> {
                self.not_if_it_is_old()?;
                self.ask(self.host.survey(measure)).await
            }

            async fn location(&self, uuid: Uuid) -> Result<Location, HostError> {
                self.not_if_it_is_old()?;
                self.ask(self.host.location(uuid)).await
            }

            async fn progress(&self, zone: ZoneName) -> Result<Option<Progress>, HostError> {
                if self.lines.inner.no_progress.load(Ordering::SeqCst) {
                    self.lines.inner.unanswered.fetch_add(1, Ordering::SeqCst);
                    std::future::pending::<()>().await;
                }
                self.ask(self.host.progress(zone)).await
            }

            async fn connect(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
                Ok(self.lines.stream(self.ask(self.host.connect(token, stream)).await?))
            }

            async fn listen(&self, token: &Token, stream: StreamId) -> Result<Box<dyn Pending>, HostError> {
                let inner = self.ask(self.host.listen(token, stream)).await?;
                Ok(Box::new(Knocks { inner, lines: self.lines.clone() }))
            }
        }
    };
}

pass_on! {
    fn facts() -> Facts;
    fn inventory() -> Inventory;
    fn check(request: CheckRequest) -> Vec<Blocker>;
    fn manifest(zone: ZoneName) -> Manifest;
    fn export(zone: ZoneName) -> Exported;
    fn verify_storage(ticket: ProbeTicket) -> Vec<DiskView>;
    fn clear_markers(ticket: ProbeTicket) -> ();
    fn store_replica(standby: Replica) -> ();
    fn drop_replicas(origin: String, zones: Vec<Uuid>, recorded: Vec<(Uuid, Millis)>) -> Vec<Takeover>;
    fn reserve(request: CheckRequest, lease: u64) -> bool;
    fn renew(zone: ZoneName, uuid: Uuid, lease: u64) -> ();
    fn release(zone: ZoneName, uuid: Uuid) -> ();
    fn attach(manifest: Manifest) -> ();
    fn detach(zone: ZoneName, uuid: Uuid, gone: bool) -> ();
    fn keep(manifest: Manifest) -> ();
    fn set_autostart(zone: ZoneName, autostart: bool) -> ();
    fn open_incoming(manifest: Manifest, token: Token) -> ();
    fn close_incoming(token: Token) -> ();
    fn send(zone: Zone, token: Token, mappings: Vec<InterfaceMapping>) -> Sent;
    fn abort(zone: ZoneName) -> ();
    fn wait_sent(zone: ZoneName) -> ();
    fn resume(zone: ZoneName, uuid: Uuid) -> ();
    fn destroy_incoming(zone: ZoneName, uuid: Uuid) -> ();
    fn shutdown(zone: ZoneName, uuid: Uuid, limit: u64) -> ();
    fn boot(zone: ZoneName, uuid: Uuid) -> bool;
}

#[tokio::test(start_paused = true)]
async fn whichever_question_or_answer_is_lost_the_zone_is_in_one_place_and_that_place_is_known() {
    for (direction, method) in BOTH_WAYS.into_iter().chain(MIGRATIONS) {
        let world = World::with(method);
        world.make_ready_for(direction).await;
        world.lines.break_at(Break { at: usize::MAX, loss: Loss::Question, for_ever: false });
        assert!(world.run(direction).await.unwrap().is_complete());
        let asked = world.lines.asked();
        assert!(asked >= 5, "only {asked} questions in {direction} {method:?}");
        for at in 0..asked {
            for (loss, for_ever) in
                [(Loss::Question, false), (Loss::Answer, false), (Loss::Question, true), (Loss::Answer, true)]
            {
                let world = World::with(method);
                world.make_ready_for(direction).await;
                let broken = Break { at, loss, for_ever };
                world.lines.break_at(broken);
                let outcome = world.run(direction).await.unwrap();
                let state = state_of(&outcome, "web");
                // While the connection was dead, nothing may have been claimed that is not true.
                let (from, to) = ends(direction);
                match state {
                    MoveState::Failed => {
                        let runs_there = world.seen(from, "web").await;
                        assert!(runs_there.is_some(), "{direction} {method:?} {broken:?}: {outcome:?}");
                    }
                    MoveState::Evacuated | MoveState::Returned => {
                        assert!(world.seen(to, "web").await.is_some(), "{direction} {method:?} {broken:?}");
                    }
                    MoveState::Unknown => assert!(world.away("web").is_some()),
                    other => panic!("{direction} {method:?} {broken:?} ended {other}"),
                }
                world.lines.repair();
                world.settle().await;
                println!("{direction} {method:?} {broken:?} {state}");
                world.all_is_told_truly("web", method).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hypervisor_that_does_not_say_how_far_it_is_does_not_hold_the_move_up() {
    let world = World::with(Method::Live);
    world.make_ready_for(Direction::Return).await;
    world.lines.leave_progress_unanswered();
    world.set_faults("h2", &[Fault::once(Effect::Hang { at: Operation::Send })]);
    let run = tokio::time::timeout(Duration::from_secs(60), world.run(Direction::Return));
    let (outcome, ()) = tokio::join!(run, async {
        until(|| world.lines.progress_is_awaited()).await;
        world.clear_faults();
    });
    assert!(outcome.expect("it ends").unwrap().is_complete());
}
