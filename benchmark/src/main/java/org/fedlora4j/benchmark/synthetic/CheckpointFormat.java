package org.fedlora4j.benchmark.synthetic;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.fedlora4j.model.weights.SafetensorsWriter;

/** How Hugging Face's checkpoints keep weights. */
enum CheckpointFormat {
    TORCH("pytorch_model", ".bin") {
        @Override
        long length(String file, List<StoredTensor> tensors) {
            return archive(file, tensors).length();
        }

        @Override
        void write(String file, List<StoredTensor> tensors, OutputStream out) throws IOException {
            archive(file, tensors).writeTo(out);
        }

        private TorchArchive archive(String file, List<StoredTensor> tensors) {
            return new TorchArchive(file.substring(0, file.lastIndexOf('.')), tensors);
        }
    },
    SAFETENSORS("model", ".safetensors") {
        @Override
        long length(String file, List<StoredTensor> tensors) {
            return writer(tensors).length();
        }

        @Override
        void write(String file, List<StoredTensor> tensors, OutputStream out) throws IOException {
            writer(tensors).writeTo(out);
        }

        private SafetensorsWriter writer(List<StoredTensor> tensors) {
            SafetensorsWriter writer =
                    new SafetensorsWriter().metadata("format", "pt").shortHeader();
            for (StoredTensor tensor : tensors) {
                long[] shape =
                        tensor.shape().stream().mapToLong(Long::longValue).toArray();
                writer.tensor(tensor.name(), tensor.type(), shape, tensor.source());
            }
            return writer;
        }
    };

    private final String stem;
    private final String suffix;

    CheckpointFormat(String stem, String suffix) {
        this.stem = stem;
        this.suffix = suffix;
    }

    /** The length in bytes of a file with so many tensors. */
    abstract long length(String file, List<StoredTensor> tensors);

    /** Writes such a file. */
    abstract void write(String file, List<StoredTensor> tensors, OutputStream out) throws IOException;

    /** The file's name where there is one only. */
    String single() {
        return stem + suffix;
    }

    /**
     * A file's name among several.
     *
     * @param number from 1
     */
    String shard(int number, int count) {
        return count == 1 ? single() : "%s-%05d-of-%05d%s".formatted(stem, number, count, suffix);
    }
}
