//! The output of pkg(1).

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Ips, bytes));
