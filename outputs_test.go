package carve

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A recorder is a sink that logs its calls, and fails in one of them.
type recorder struct {
	name   string
	log    *[]string
	fails  string
	traits Traits
}

func (r *recorder) note(what string) error {
	*r.log = append(*r.log, r.name+" "+what)
	if what == r.fails {
		return errors.New("broken")
	}
	return nil
}

func (r *recorder) Traits() Traits {
	t := r.traits
	t.Name = r.name
	return t
}
func (r *recorder) Open(context.Context, *Stream) error { return r.note("open") }
func (r *recorder) Write(context.Context, *Frame) error { return r.note("write") }
func (r *recorder) Close() error                        { return r.note("close") }

// A filer is a recorder that commits.
type filer struct{ recorder }

func (f *filer) Prepare() error { return f.note("prepare") }
func (f *filer) Commit() error  { return f.note("commit") }
func (f *filer) Abort()         { _ = f.note("abort") }

// TestOutputs: everything is prepared before anything is committed, and a failure aborts
// what was committed.
func TestOutputs(t *testing.T) {
	const opened = "a open, b open, s open"
	for _, c := range []struct {
		where string // "b commit": what fails
		want  string
	}{
		{"", opened + ", s close, a prepare, b prepare, a commit, b commit, a close, b close"},
		{"a open", "a open, a abort, a close"},
		{"b open", "a open, b open, a abort, b abort, a close, b close"},
		{"s close", opened + ", s close, a abort, b abort, a close, b close"},
		{"b prepare", opened + ", s close, a prepare, b prepare, a abort, b abort, a close, b close"},
		{"b commit", opened + ", s close, a prepare, b prepare, a commit, b commit, a abort, b abort, a close, b close"},
		{"a close", opened + ", s close, a prepare, b prepare, a commit, b commit, a close, b close"}, // too late
		{"hook", opened + ", s close, a prepare, b prepare, a abort, b abort, a close, b close"},
	} {
		var log []string
		name, op, _ := strings.Cut(c.where, " ")
		of := func(n string) recorder {
			r := recorder{name: n, log: &log}
			if n == name {
				r.fails = op
			}
			return r
		}
		s := of("s")
		list := newOutputs([]Sink{&filer{of("a")}, &filer{of("b")}, &s})
		err := func() error {
			defer list.close()
			if err := list.open(t.Context(), &Stream{}); err != nil {
				return err
			}
			return list.commit(func(name func() error) error {
				if c.where == "hook" {
					return errors.New("broken")
				}
				return name()
			})
		}()
		if got := strings.Join(log, ", "); got != c.want {
			t.Errorf("%q fails:\n%s, want\n%s", c.where, got, c.want)
		}
		if fails := c.where != "" && c.where != "a close"; (err != nil) != fails {
			t.Errorf("%q fails: error %v", c.where, err)
		}
		var failed *SinkError
		if c.where != "" && c.where != "hook" && err != nil && (!errors.As(err, &failed) || failed.Name != "the "+name) {
			t.Errorf("%q fails: the error is not the sink's: %v", c.where, err)
		}
	}
}

// TestOptionalOutput: after an optional sink fails it gets no more frames and is aborted,
// and the others go on.
func TestOptionalOutput(t *testing.T) {
	for fails, want := range map[string][]string{
		"write": {"a open", "b open", "a write", "a write", "b write", "a prepare", "a commit", "b abort", "a close", "b close"},
		"prepare": {"a open", "b open", "a write", "a write", "b write", "b write", "a prepare", "b prepare", "a commit",
			"b abort", "a close", "b close"},
	} {
		var log []string
		a := &filer{recorder{name: "a", log: &log}}
		b := &filer{recorder{name: "b", log: &log, fails: fails, traits: Traits{Optional: true}}}
		list := newOutputs([]Sink{a, b})
		if err := list.open(t.Context(), &Stream{}); err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			for range 2 {
				it := &item{}
				it.refs.Store(2) // so that it is not freed here
				if err := o.write(t.Context(), it); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := list.commit(nil); err != nil {
			t.Fatal(err)
		}
		list.close()
		if !slices.Equal(log, want) {
			t.Errorf("%v, want %v", log, want)
		}
		if list[1].err == nil || list[0].written != 2 || fails == "write" && list[1].written != 0 {
			t.Errorf("%v; %d and %d frames", list[1].err, list[0].written, list[1].written)
		}
	}
}

func ExampleSinkError() {
	err := error(&SinkError{Name: "the overlay", Op: "writing", Err: errors.New("no space left on device")})
	fmt.Println(err)
	// Output: writing the overlay: no space left on device
}
