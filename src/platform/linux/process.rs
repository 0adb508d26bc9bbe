//! The end of a process, which cannot be missed.

use tokio::sync::oneshot;

/// Signals the end of the process; none if it has ended already, or if this system does not support pidfds.
#[cfg(target_os = "linux")]
pub fn end_of(pid: i32) -> Option<oneshot::Receiver<()>> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let process = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
    let (sender, receiver) = oneshot::channel();
    // A thread of its own: it may wait as long as the process runs, and must not keep the runtime from ending.
    std::thread::spawn(move || {
        while !sender.is_closed() {
            let mut fds = [PollFd::new(&process, PollFlags::IN)];
            let pause = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut fds, Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    let _ = sender.send(());
                    return;
                }
                Err(_) => return,
            }
        }
    });
    Some(receiver)
}

/// Signals the end of the process; none if it has ended already, or if this system does not support pidfds.
#[cfg(not(target_os = "linux"))]
pub const fn end_of(_pid: i32) -> Option<oneshot::Receiver<()>> {
    None
}
