//! The package database of Solaris 10: the list of all files, and the pkginfo files.

#![no_main]

use sysadm::fuzzing::System;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sysadm::fuzzing::software(System::Svr4, bytes));
