// write_recordings FOLDER COUNT CALLS FILES: COUNT recordings of a run each, as a fleet leaves
// them.

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "bench/sample_recording.h"
#include "common/file.h"
#include "model/recording_json.h"

int main(int argc, char** argv) {
  if (argc != 5) {
    (void)std::fprintf(stderr, "usage: write_recordings FOLDER COUNT CALLS FILES\n");
    return 2;
  }
  const int count = std::atoi(argv[2]);
  cordon::Recording recording = cordon::MakeSampleRecording(
      {.calls = std::atoi(argv[3]), .files = std::atoi(argv[4])}, cordon::SampleRunId(0));
  const cordon::Run run = recording.runs.begin()->second;
  for (int number = 0; number < count; number++) {
    recording.runs = {{cordon::SampleRunId(number), run}};
    const std::string path = fmt::format("{}/{:06}.recording.json", argv[1], number);
    if (const auto written = cordon::WriteFileAtomically(path, cordon::WriteRecording(recording));
        !written) {
      (void)std::fprintf(stderr, "write_recordings: %s\n", written.error().message.c_str());
      return 1;
    }
  }
  return 0;
}
