package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/jobfile"
	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// checkSaveJob refuses a job file that a flag without its value would name.
func (o *jobOptions) checkSaveJob() error {
	if o.saveJob == "" || o.saveJob == "-" || slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(o.saveJob)) {
		return nil
	}
	return ui.WithHint(ui.Usagef("--save-job is %s, which does not end in .yaml", o.saveJob), "it writes a job file; - is stdout")
}

// checkNames refuses outputs that no input could be written to, and a job file that is one of
// them.
func (o *segmentOptions) checkNames() error {
	for _, s := range o.specs {
		if filepath.Clean(s.Path) == filepath.Clean(o.saveJob) && o.saveJob != "-" {
			return ui.WithHint(ui.Usagef("--save-job and an output are both %s", o.saveJob), "give them names of their own")
		}
	}
	for _, s := range o.encoded() {
		err := video.CheckOutput(s.Path, s.format(), s.encoding().Encoder, video.Info{})
		if err != nil {
			err = video.CheckOutput(s.Path, s.format(), s.encoding().Encoder, video.Info{Still: true})
		}
		if err != nil {
			return o.fromJob.lined(s.line, ui.UsageError{Err: outputError(err)})
		}
	}
	return nil
}

// writeJob writes the job file of the command line, once all that can be known without the
// input and the models is checked.
func (o *segmentOptions) writeJob(fs *pflag.FlagSet, stdout, stderr io.Writer) error {
	log := o.newLog(stderr)
	if _, _, err := o.planTexts(log); err != nil {
		return err
	}
	if err := o.planFolders(); err != nil {
		return err
	}
	if err := o.checkNames(); err != nil {
		return err
	}
	job, err := o.asJob(fs)
	if err != nil {
		return outputError(err)
	}
	data, err := job.Format()
	if err != nil {
		return ui.UsageError{Err: fmt.Errorf("writing a job: %w", err)}
	}
	if o.saveJob == "-" {
		if _, err := stdout.Write(data); err != nil {
			return err
		}
		return ui.WriteError(stdout)
	}
	var plan atomicfile.Plan
	plan.Overwrite, plan.Inputs = o.overwrite, o.inputs()
	if err := addOutputs(&plan, log, o.saveJob); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(o.saveJob, data, plan.Options); err != nil {
		return outputError(err)
	}
	if !o.quiet && o.logFormat != "json" {
		fmt.Fprintf(stderr, "wrote %s; this runs it: carve --job %s%s\n", printable.Text(o.saveJob), ui.ShellQuote(o.saveJob), permissions(fs))
	}
	return nil
}

// permissions are flags that the run needs and that a job does not have.
func permissions(fs *pflag.FlagSet) (flags string) {
	for _, name := range []string{"allow-playlists", "yes"} {
		if fs.Changed(name) {
			flags += " --" + name
		}
	}
	return flags
}

// asJob returns the effective options as a job: what the command line and its own job file
// give. Defaults are not written.
func (o *segmentOptions) asJob(fs *pflag.FlagSet) (*jobfile.Job, error) {
	folder, err := newJobFolder(o.saveJob)
	if err != nil {
		return nil, &atomicfile.Error{Path: o.saveJob, Err: atomicfile.ErrNoFolder}
	}
	j := &jobfile.Job{Input: folder.path(standardName(o.input)), Queries: slices.Clone(o.jobQueries)}
	for _, text := range o.queries {
		q, err := car.ParseQuery(text)
		if err != nil {
			return nil, err
		}
		j.Queries = append(j.Queries, q)
	}
	for i := range o.specs {
		j.Outputs = append(j.Outputs, jobOutput(&o.specs[i], folder))
	}
	fs.Visit(func(f *pflag.Flag) {
		if notInJobs[f.Name] == "" {
			j.Settings = append(j.Settings, jobSetting(f, folder))
		}
	})
	return j, nil
}

// jobOutput returns an output with the keys that were given.
func jobOutput(out *output, folder jobFolder) jobfile.Output {
	entries := []jobfile.Entry{{Name: out.Kind, Values: []string{folder.path(standardName(out.Path))}}}
	for _, k := range out.Given {
		at := slices.IndexFunc(entries, func(e jobfile.Entry) bool { return e.Name == k.Name })
		if at <= 0 { // the first is the kind
			entries = append(entries, jobfile.Entry{Name: k.Name, Values: []string{k.Value}})
			continue
		}
		entries[at].List = true
		entries[at].Values = append(entries[at].Values, k.Value)
	}
	return jobfile.Output{Entries: entries}
}

// jobSetting returns a flag as a setting.
func jobSetting(f *pflag.Flag, folder jobFolder) jobfile.Entry {
	e := jobfile.Entry{Name: f.Name, Values: []string{f.Value.String()}}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		e.List, e.Values = true, list.GetSlice()
	}
	if f.Name == "explain" {
		e.Values[0] = standardName(e.Values[0])
	}
	for i, v := range e.Values {
		e.Values[i] = folder.setting(f.Name, v)
	}
	return e
}
