package carve_test

import (
	"context"
	"log"

	"github.com/carve-video/carve"
)

// A contact sheet, and the best moments of each concept. This example is compiled and not run.
func ExampleSheet() {
	job, done := exampleJob()
	defer done()
	job.Sinks = []carve.Sink{
		&carve.Sheet{Path: "sheet.png", Columns: 4, Rows: 3},
		&carve.Strip{Path: "strip.png", Concepts: []string{"dog"}},
	}
	if _, err := carve.Run(context.Background(), job); err != nil {
		log.Fatal(err)
	}
}
