//! What Solaris 10 keeps of its packages: the list of all files, and what a package says of itself.

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Svr4, bytes));
