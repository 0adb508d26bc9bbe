//! CPU time and memory, as reported by Linux.

/// CPU seconds of this thread.
pub fn own() -> f64 {
    field("/proc/thread-self/schedstat", 0) / 1e9
}

/// CPU seconds of ended children, to a hundredth.
pub fn children() -> f64 {
    // After the name in parentheses, which may contain anything: utime is the 12th word, cutime the 14th.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>()
        / 100.0
}

/// Maximum memory of this process in bytes; [`forget`] starts anew.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Forgets the maximum.
pub fn forget() {
    // If that is not permitted the maximum is that of all cases so far: too much, never too little.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn field(path: &str, at: usize) -> f64 {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().nth(at).and_then(|word| word.parse().ok()).unwrap_or_default()
}
