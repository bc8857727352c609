// Command testreport runs "go test", prints its output, and records the tests that were
// skipped. Go does not list them: a suite that skips everything looks like one that
// passes.
//
//	testreport -record FILE -- ARGUMENTS OF GO TEST…
//	testreport -summary FILE
//
// The first form appends the outcome of each test to the file, and ends with the exit
// code of go test. The second one prints the tests that were skipped in all recorded
// runs.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"
)

func main() {
	record := flag.String("record", "", "run go test, and add to this file what became of each test")
	summary := flag.String("summary", "", "tell which tests were skipped, by this file")
	flag.Parse()
	code, err := 0, error(nil)
	switch {
	case *summary != "" && *record == "" && flag.NArg() == 0:
		err = summarize(*summary, os.Stdout)
	case *record != "" && *summary == "":
		code, err = test(*record, flag.Args())
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport: error:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// test runs go test, and returns its exit code.
func test(record string, args []string) (int, error) {
	file, err := os.OpenFile(record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	// Ctrl-C is for go test; this program waits for it and reports how it ended.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	p := newPrinter(os.Stdout)
	stop := p.everySoOften(time.Minute)
	read := scan(out, p)
	stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), errors.Join(read, p.write(file))
	}
	return 0, errors.Join(err, read, p.write(file))
}

// scan passes events to a printer, and other lines unchanged.
func scan(from io.Reader, p *printer) error {
	in := bufio.NewReader(from)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			p.line(line)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading what go test prints: %w", err)
		}
	}
}
