//! One virsh in a host that answers many questions: to start one for each would take a third of the machine.

use std::collections::BTreeSet;
use std::io::{PipeReader, Read, Write, pipe};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A host, asked from inside because it may be disconnected from the network.
pub struct Hypervisor {
    pid_file: PathBuf,
    session: Option<Session>,
}

/// A virsh that reads commands.
struct Session {
    virsh: Child,
    commands: ChildStdin,
    answers: PipeReader,
}

impl Hypervisor {
    pub const fn of(pid_file: PathBuf) -> Self {
        Self { pid_file, session: None }
    }

    /// The UUIDs of guests that run there now; paused ones do not count. Empty if the host does not answer.
    pub fn running(&mut self) -> BTreeSet<String> {
        self.ask("list --state-running --uuid").unwrap_or_default()
    }

    /// The names of all guests that it knows; none if it does not answer.
    pub fn known(&mut self) -> Option<BTreeSet<String>> {
        self.ask("list --all --name")
    }

    fn ask(&mut self, question: &str) -> Option<BTreeSet<String>> {
        if self.session.is_none() {
            self.session = Session::start(std::fs::read_to_string(&self.pid_file).ok()?.trim());
        }
        let answer = self.session.as_mut()?.ask(question);
        if answer.is_none() {
            self.session = None;
        }
        answer
    }
}

impl Session {
    fn start(pid: &str) -> Option<Self> {
        let (answers, output) = pipe().ok()?;
        let mut virsh = Command::new("nsenter")
            .args(["--target", pid, "--net", "--mount", "--uts", "--"])
            .args(["virsh", "-q", "-r", "-c", "qemu:///system"])
            .stdin(Stdio::piped())
            .stdout(output.try_clone().ok()?)
            .stderr(output)
            .spawn()
            .ok()?;
        let commands = virsh.stdin.take()?;
        Some(Self { virsh, commands, answers })
    }

    /// The lines of an answer; none if there is an error or no answer within 5 s.
    fn ask(&mut self, question: &str) -> Option<BTreeSet<String>> {
        // virsh repeats each command, the first one perhaps without its prompt; only what `echo` prints begins a line.
        const END: &str = "\nend-of-answer";
        let deadline = Instant::now() + Duration::from_secs(5);
        writeln!(self.commands, "{question}\necho {}", END.trim_start()).ok()?;
        let mut answer = String::new();
        while !answer.contains(END) {
            answer.push_str(&self.read(deadline)?);
        }
        let lines: BTreeSet<_> = answer
            .split(END)
            .next()?
            .lines()
            .skip(1)
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("virsh >"))
            .map(str::to_owned)
            .collect();
        (!lines.iter().any(|line| line.starts_with("error:"))).then_some(lines)
    }

    /// What has come, once something has.
    fn read(&mut self, deadline: Instant) -> Option<String> {
        let left = Timespec::try_from(deadline.checked_duration_since(Instant::now())?).ok()?;
        if poll(&mut [PollFd::new(&self.answers, PollFlags::IN)], Some(&left)).ok()? == 0 {
            return None;
        }
        let mut bytes = [0; 4096];
        let count = self.answers.read(&mut bytes).ok()?;
        (count > 0).then(|| String::from_utf8_lossy(&bytes[..count]).into_owned())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.virsh.kill().ok();
        self.virsh.wait().ok();
    }
}
