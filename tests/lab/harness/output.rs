//! The output of a command.

/// Its exit status and its output.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command line, for failures.
    command: String,
    /// The exit status; -1 if it was killed.
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// The output of `command`.
    pub fn of(command: &str, output: std::process::Output) -> Self {
        Self {
            command: command.to_owned(),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("output is UTF-8"),
        }
    }

    fn shown(&self) -> String {
        let Self { command, code, stdout, stderr } = self;
        format!("$ {command}\n--- stdout\n{stdout}--- stderr\n{stderr}--- exit status {code}")
    }

    /// It must end with that status.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert!(self.code == code, "exit status {code} was expected\n{}", self.shown());
        assert!(!self.stderr.contains("panicked at"), "it panicked\n{}", self.shown());
        self
    }

    /// Its standard output must contain all of these.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stdout.contains(text), "{text:?} is missing in stdout\n{}", self.shown());
        }
        self
    }

    /// Its standard error must contain all of these.
    #[track_caller]
    pub fn complains(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing in stderr\n{}", self.shown());
        }
        self
    }

    /// Its standard error must be one line of `sysadm: ...`, with nothing but hints after it, and contain all of these.
    /// Warnings that no line could be written to syslog, which a host of the lab does not have, do not count.
    #[track_caller]
    pub fn complains_in_one_line(self, texts: &[&str]) -> Self {
        let lines: Vec<_> = self.complaints().collect();
        assert!(
            lines.first().is_some_and(|line| line.starts_with("sysadm: "))
                && lines[1..].iter().all(|line| line.starts_with("hint: ")),
            "one line of stderr and its hints were expected\n{}",
            self.shown()
        );
        self.complains(texts)
    }

    /// The lines of standard error, without warnings about syslog.
    pub fn complaints(&self) -> impl Iterator<Item = &str> {
        self.stderr.lines().filter(|line| !line.contains("syslog"))
    }

    /// Its standard error must be empty except for warnings about syslog.
    #[track_caller]
    pub fn complains_of_nothing(self) -> Self {
        assert!(self.complaints().next().is_none(), "no complaint was expected\n{}", self.shown());
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.shown()))
    }
}
