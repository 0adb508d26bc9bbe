//! Copies bytes between one SSH channel and a socket, in a thread of its own.
//!
//! Neither side may ever block, or the other direction would wait as well. libssh2 has one more requirement: a
//! packet of which only a part could be sent must be finished by calling the same function again. So every
//! iteration of the loop calls both directions, and the small packets that libssh2 cannot resume (end of data,
//! close) are sent only when the socket has room for them.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ssh2::{BlockDirections, Channel, ErrorCode, Session};

use super::buffer::Buffer;
use super::exit_report::{self, Complaint};
use super::stream::Fate;
use super::{LocalEnd, connect_error};
use crate::DialError;
use crate::model::HostUri;

/// How much the server may send before we have taken it.
const WINDOW: u32 = 4 << 20;
const PACKET: u32 = 32 << 10;

/// When a command ends, the end of its output comes first and its exit status right after. The end is passed on
/// only after this time; later if the command has sent nothing, because then it failed to start.
const LAST_WORDS: Duration = Duration::from_millis(50);
const FIRST_WORDS: Duration = Duration::from_secs(1);

/// How often to check what no socket signals.
const TICK: Duration = Duration::from_secs(1);

/// How long the remote side may take to end after our side has gone.
const LINGER: Duration = Duration::from_secs(10);

/// libssh2's errors for an operation that is not finished, and for a request that the server refuses.
const AGAIN: ErrorCode = ErrorCode::Session(-37);
const DENIED: ErrorCode = ErrorCode::Session(-22);

/// One session, its only channel, and the socket to the rest of the program.
pub(super) struct SessionLoop {
    command: String,
    session: Session,
    channel: Channel,
    socket: TcpStream,
    local: UnixStream,
    fate: Fate,
    keepalive: Duration,
    up: Buffer,
    down: Buffer,
    complaint: Complaint,
    /// Our side will send no more.
    up_ended: bool,
    /// The remote side knows that.
    up_closed: bool,
    /// When the remote side sent its last data.
    down_ended: Option<Instant>,
    /// Our side knows that.
    down_closed: bool,
    /// The remote command has ended.
    ended: bool,
    /// The remote side has sent something.
    heard_something: bool,
    /// When the remote side last gave a sign of life.
    heard: Instant,
    /// It has been asked for a sign of life.
    pinging: bool,
    /// When the near end of the socket was gone, and nothing has been copied since.
    gone: Option<Instant>,
}

impl SessionLoop {
    /// Starts the remote command.
    pub(super) fn start(
        uri: &HostUri,
        session: Session,
        socket: TcpStream,
        command: &str,
        keepalive: Duration,
    ) -> Result<(LocalEnd, Self), DialError> {
        let no_agent = |error: ssh2::Error| DialError::NoAgent {
            uri: uri.clone(),
            what: format!("failed to start `{command}`: {}", error.message()),
        };
        let mut channel = session.channel_open("session", WINDOW, PACKET, None).map_err(no_agent)?;
        channel.exec(command).map_err(no_agent)?;
        session.set_blocking(false);
        let pair =
            UnixStream::pair().and_then(|(local, near)| local.set_nonblocking(true).map(|()| (local, near)));
        let (local, near) = pair.map_err(|error| connect_error(uri, error.to_string()))?;
        let (fate, now) = (Fate::default(), Instant::now());
        let line = Self {
            command: command.to_owned(),
            session,
            channel,
            socket,
            local,
            fate: Fate::clone(&fate),
            keepalive,
            up: Buffer::new(),
            down: Buffer::new(),
            complaint: Complaint::default(),
            up_ended: false,
            up_closed: false,
            down_ended: None,
            down_closed: false,
            ended: false,
            heard_something: false,
            heard: now,
            pinging: false,
            gone: None,
        };
        Ok(((near, fate), line))
    }

    /// Copies bytes until both directions have ended, then frees everything.
    pub(super) fn run(mut self) {
        let reason = self.carry().err().or_else(|| self.bad_end());
        if let Some(reason) = reason {
            // This is the only place that sets it.
            let _ = self.fate.set(reason);
        }
        if self.has_room() {
            let _ = self.session.disconnect(None, "done", None);
        }
        // Freeing a non-blocking session leaks it while something is unsent; on a dead socket nothing blocks.
        let _ = self.socket.shutdown(Shutdown::Both);
        self.session.set_blocking(true);
    }

    fn carry(&mut self) -> Result<(), String> {
        loop {
            self.ping()?;
            let mut moved = self.send()?;
            moved |= self.receive()?;
            moved |= self.deliver();
            if self.ended && self.down.is_empty() {
                return Ok(());
            }
            if moved {
                self.gone = self.gone.map(|_| Instant::now());
            } else {
                if self.gone.is_some_and(|since| since.elapsed() > LINGER) {
                    return Ok(());
                }
                self.wait()?;
            }
        }
    }

    /// From our side to the remote side.
    fn send(&mut self) -> Result<bool, String> {
        let mut moved = false;
        if self.up.is_empty() && !self.up_ended {
            match self.up.fill(&mut self.local) {
                Ok(count) => {
                    self.up_ended = count == 0;
                    moved = true;
                }
                Err(error) if waits(&error) => {}
                // The near end is gone.
                Err(_) => self.up_ended = true,
            }
        }
        while !self.up.is_empty() {
            match self.channel.write(self.up.bytes()) {
                // The remote side's window is full.
                Ok(0) => break,
                Ok(count) => {
                    self.up.take(count);
                    self.heard = Instant::now();
                    moved = true;
                }
                Err(error) if waits(&error) => break,
                // It has ended; its last output is still to come.
                Err(_) if self.down_ended.is_some() => self.up.clear(),
                Err(error) => return Err(broke(&error)),
            }
        }
        if self.up.is_empty() && self.up_ended && !self.up_closed && self.has_room() {
            let sent = self.channel.send_eof().map_err(std::io::Error::from);
            self.up_closed = !sent.is_err_and(|error| waits(&error));
        }
        Ok(moved)
    }

    /// From the remote side to us.
    fn receive(&mut self) -> Result<bool, String> {
        let mut moved = false;
        if self.down.is_empty() && self.down_ended.is_none() {
            let read = self.down.fill(&mut self.channel);
            match read {
                Ok(0) => {}
                Ok(_) => {
                    self.heard_something = true;
                    self.heard = Instant::now();
                    moved = true;
                }
                Err(error) if waits(&error) => {}
                Err(error) => return Err(broke(&error)),
            }
            if !moved {
                self.listen_to_complaints()?;
            }
            if self.down.is_empty() && self.channel.eof() {
                self.down_ended = Some(Instant::now());
                moved = true;
            }
        }
        if self.down_ended.is_some() && !self.ended {
            self.ended = self.channel.wait_close().is_ok();
            moved |= self.ended;
        }
        Ok(moved)
    }

    /// From the buffer to our side's socket.
    fn deliver(&mut self) -> bool {
        let mut moved = false;
        while !self.down.is_empty() {
            match self.local.write(self.down.bytes()) {
                Ok(count) => self.down.take(count),
                Err(error) if waits(&error) => break,
                // The near end is gone.
                Err(_) => self.down.clear(),
            }
            moved = true;
        }
        let patience = if self.heard_something { LAST_WORDS } else { FIRST_WORDS };
        let last = self.down_ended.is_some_and(|since| since.elapsed() >= patience);
        // When the command has ended, its exit status comes first.
        if last && !self.ended && self.down.is_empty() && !self.down_closed {
            let _ = self.local.shutdown(Shutdown::Write);
            self.down_closed = true;
        }
        moved
    }

    fn listen_to_complaints(&mut self) -> Result<(), String> {
        let mut text = [0; 1024];
        loop {
            match self.channel.stderr().read(&mut text) {
                Ok(0) => return Ok(()),
                Ok(count) => self.complaint.hear(&text[..count]),
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(broke(&error)),
            }
        }
    }

    /// Waits until something can be copied.
    fn wait(&mut self) -> Result<(), String> {
        let full =
            matches!(self.session.block_directions(), BlockDirections::Outbound | BlockDirections::Both);
        // If we asked for input that no call would take, poll would return at once, again and again.
        let deaf = !self.down.is_empty() && (self.up.is_empty() || full) && !self.pinging;
        let mut far = PollFlags::empty();
        far.set(PollFlags::IN, !deaf);
        far.set(PollFlags::OUT, full || (self.up.is_empty() && self.up_ended && !self.up_closed));
        let mut near = PollFlags::empty();
        near.set(PollFlags::IN, self.up.is_empty() && !self.up_ended);
        near.set(PollFlags::OUT, !self.down.is_empty());
        let tick = if self.down_ended.is_some() && !self.down_closed { LAST_WORDS } else { TICK };
        let mut fds = [PollFd::new(&self.socket, far), PollFd::new(&self.local, near)];
        // Once the near end is gone, the local socket only signals that, without pause.
        let count = if self.gone.is_some() { 1 } else { 2 };
        match poll(&mut fds[..count], Timespec::try_from(tick).ok().as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.to_string()),
        }
        if fds[1].revents().contains(PollFlags::HUP) {
            self.gone = Some(Instant::now());
        }
        Ok(())
    }

    /// Asks for a sign of life if there was none, and gives up if there is no answer.
    ///
    /// The ping is a request that sshd refuses at this point, which proves that it is alive. libssh2's own
    /// keepalive does not report whether an answer came, and keeps all answers in memory.
    fn ping(&mut self) -> Result<(), String> {
        let silence = self.heard.elapsed();
        if self.ended || !self.pinging && silence < self.keepalive {
            return Ok(());
        }
        self.pinging = true;
        match self.channel.setenv("LC_ALIVE", "1") {
            Err(error) if error.code() == AGAIN && silence <= self.keepalive * 3 => Ok(()),
            Err(error) if error.code() == AGAIN => {
                Err(format!("no sign of life for {} s", silence.as_secs()))
            }
            Err(error) if error.code() != DENIED => Err(broke(&error.into())),
            _ => {
                self.pinging = false;
                self.heard = Instant::now();
                Ok(())
            }
        }
    }

    /// Whether a small packet could be sent as a whole.
    fn has_room(&self) -> bool {
        let mut fds = [PollFd::new(&self.socket, PollFlags::OUT)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::OUT)
    }

    /// Why the remote command ended, if it failed.
    fn bad_end(&self) -> Option<String> {
        let status = self.channel.exit_status().unwrap_or(0);
        let signal = self.channel.exit_signal().ok().and_then(|signal| signal.exit_signal);
        exit_report::describe(&self.command, status, signal.as_deref(), &self.complaint)
    }
}

fn broke(error: &std::io::Error) -> String {
    format!("the SSH connection broke ({error})")
}

fn waits(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
