// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace gstage {

/// Who gets Ctrl-C and Ctrl-Z typed at the terminal.
enum class TerminalKeys : bool { kSignals, kGuest };

/// Puts the terminal on standard input into raw mode, where it is one, until `restore_terminal`. It comes
/// back after a stop (Ctrl-Z, fg), and every way out of the program restores the terminal: exit, fatal
/// signals, failed CHECKs.
void make_terminal_raw(TerminalKeys keys);

}  // namespace gstage
