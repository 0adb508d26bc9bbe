//! `sysadm`: see [`sysadm::cli`].

fn main() -> std::process::ExitCode {
    sysadm::cli::main()
}
