package ortdist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
)

// Options control the installation of a build.
type Options struct {
	// Get downloads an archive to dest, which may exist from an earlier attempt, in
	// part or as a whole.
	Get func(ctx context.Context, a Archive, dest string) error
	// Libraries includes NVIDIA's libraries; without it they must be on the system.
	Libraries bool
	// Log receives the steps; nil for none.
	Log *slog.Logger
}

// Install installs a build in the cache, unless it is there. Archives are downloaded to
// the folder "downloads" in the cache. They are removed after a successful
// installation. They are kept if it fails for another reason than a bad archive, so
// that the next attempt need not download them again.
func Install(ctx context.Context, cache string, b Build, o Options) (Installed, error) {
	fail := func(err error) (Installed, error) {
		return Installed{}, fmt.Errorf("failed to install the build %s of ONNX Runtime %s: %w", b.Name, b.Version, err)
	}
	if err := b.check(o.Libraries); err != nil {
		return fail(err)
	}
	if o.Get == nil {
		return fail(errors.New("nothing to fetch it with"))
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return fail(err)
	}
	in := &installer{Options: o, cache: cache, build: b, folder: filepath.Join(cache, b.folder(o.Libraries))}
	if in.Log == nil {
		in.Log = slog.New(slog.DiscardHandler)
	}
	installed, ok, err := in.existing()
	if !ok && err == nil {
		installed, err = in.install(ctx)
	}
	if err != nil {
		return fail(err)
	}
	return installed, nil
}

type installer struct {
	Options
	cache  string
	build  Build
	folder string
}

// existing returns the installation if its folder exists. One that is damaged, or of
// another build, is an error and not replaced, since it may be in use.
func (in *installer) existing() (Installed, bool, error) {
	if _, err := os.Lstat(in.folder); errors.Is(err, os.ErrNotExist) {
		return Installed{}, false, nil
	}
	installed, err := read(in.folder)
	if err == nil {
		err = installed.fits(in.build)
	}
	if err != nil {
		return Installed{}, false, fmt.Errorf("%w: remove %s and try again", err, in.folder)
	}
	return installed, true, nil
}

func (in *installer) install(ctx context.Context) (Installed, error) {
	err := in.make(ctx)
	// Another process may have been faster, which may have caused err: its folder has
	// the name of this one, and it removes the downloads.
	installed, ok, why := in.existing()
	switch {
	case ok:
		in.clean()
		return installed, nil
	case err != nil:
		return Installed{}, err
	case why != nil:
		return Installed{}, why
	}
	return Installed{}, fmt.Errorf("%s vanished after it was made", in.folder)
}

// make builds the folder under another name and renames it.
func (in *installer) make(ctx context.Context) error {
	if err := os.MkdirAll(in.downloads(), 0o777); err != nil {
		return err
	}
	// Only in the cache, where no one else uses such names.
	atomicfile.SweepFolders(in.cache, 24*time.Hour)
	part, err := atomicfile.CreateFolder(in.folder, atomicfile.Options{})
	if err != nil {
		return err
	}
	defer part.Abort()
	folder := part.Path()
	m := &manifest{
		Name: in.build.Name, Version: in.build.Version, OS: in.build.OS, Arch: in.build.Arch,
		Library: in.build.Library,
	}
	for _, a := range in.build.wanted(in.Libraries) {
		if _, ok, _ := in.existing(); ok {
			return nil // by another process; no more downloads are needed
		}
		if err := in.add(ctx, a, folder); err != nil {
			return err
		}
		m.add(a)
	}
	for _, p := range in.build.Preload {
		if m.has(p) {
			m.Preload = append(m.Preload, p)
		}
	}
	if err := m.write(folder); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := part.Commit(); err != nil {
		return err
	}
	in.Log.Info("ONNX Runtime is installed", "build", in.build.Name, "version", in.build.Version, "folder", in.folder)
	return nil
}

// add downloads an archive and unpacks it. An archive that cannot be unpacked is
// removed: resuming or reusing it would fail again.
func (in *installer) add(ctx context.Context, a Archive, folder string) error {
	path := in.download(a)
	in.Log.Info("fetching", "archive", a.Name, "bytes", a.Size, "licence", a.Licence)
	if err := in.Get(ctx, a, path); err != nil {
		return fmt.Errorf("failed to fetch %s: %w", a.URL, err)
	}
	in.Log.Info("unpacking", "archive", a.Name)
	err := unpack(ctx, path, a, folder)
	if err != nil && ctx.Err() == nil {
		os.Remove(path) // err is more important
	}
	return err
}

func (in *installer) downloads() string { return filepath.Join(in.cache, "downloads") }

// download returns the path of a downloaded archive. The hash distinguishes releases
// with the same file name.
func (in *installer) download(a Archive) string {
	return filepath.Join(in.downloads(), a.SHA256[:12]+"-"+a.Name)
}

func (in *installer) clean() {
	for _, a := range in.build.wanted(in.Libraries) {
		if err := os.Remove(in.download(a)); err != nil && !errors.Is(err, os.ErrNotExist) {
			in.Log.Warn("failed to remove a download", "error", err)
		}
	}
}
