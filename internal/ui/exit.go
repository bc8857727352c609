package ui

// The exit codes are documented in the README and in --help, and must not change.
const (
	ExitOK          = 0   // done
	ExitFailed      = 1   // failed; what is written is whole, and only what a command of several outputs had finished
	ExitUsage       = 2   // the command line is wrong, or a text file named on it; no work was done
	ExitLost        = 3   // done, but something was lost on the way: counted and named
	ExitInterrupted = 130 // stopped by the user; what was finished by then is written
)

// ExitCodesHelp is the text of --help about them.
const ExitCodesHelp = `Exit codes:
  0    done
  1    failed; no output was written (clips, demo and eval run keep what they
       finished before)
  2    an error in the command line or in a text file that it names; no work was
       done
  3    done, but something was lost (damaged frames; alpha, sound, subtitles or
       chapters that the output cannot hold); a warning counts and names it
  130  interrupted; after the first Ctrl-C the finished part is written
`
