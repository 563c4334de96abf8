package org.fedlora4j.benchmark.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.writer.CsvWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes the same records in every format. */
final class Formats {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Formats() {}

    /** Records with quotes, line ends, separators and letters of all lengths in UTF-8; inputs are missing in some. */
    static List<Map<String, String>> records(int count) {
        List<Map<String, String>> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Map<String, String> record = new LinkedHashMap<>();
            record.put("instruction", "Say \"" + i + "\", ü € 😀.");
            record.put("context", i % 3 == 0 ? "" : "line\nand\tline, " + i);
            record.put("response", "said " + i * i);
            record.put("category", "kind " + i % 2);
            records.add(record);
        }
        return records;
    }

    static Path jsonLines(Path folder, List<Map<String, String>> records) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (Map<String, String> record : records) {
            lines.append(JSON.writeValueAsString(record)).append('\n');
        }
        return Files.writeString(folder.resolve("data.jsonl"), lines);
    }

    static Path json(Path folder, List<Map<String, String>> records) throws IOException {
        return Files.writeString(folder.resolve("data.json"), JSON.writeValueAsString(records));
    }

    /** A table with a header. */
    static Path csv(Path folder, String name, char separator, List<Map<String, String>> records) throws IOException {
        Path file = folder.resolve(name);
        try (CsvWriter out = CsvWriter.builder().fieldSeparator(separator).build(file)) {
            out.writeRecord(records.get(0).keySet());
            records.forEach(record -> out.writeRecord(record.values()));
        }
        return file;
    }

    /** With empty strings as nulls, in groups of 2048 rows. */
    static Path parquet(Path folder, List<Map<String, String>> records, String options)
            throws IOException, SQLException {
        Path source = jsonLines(Files.createTempDirectory(folder, "rows"), records);
        return parquet(
                folder,
                "SELECT instruction, nullif(context, '') AS context, response, category FROM read_json('" + source
                        + "')",
                options);
    }

    /** What a query of DuckDB's gives. */
    static Path parquet(Path folder, String query, String options) throws SQLException {
        Path file = folder.resolve("data.parquet");
        try (Connection connection = DriverManager.getConnection("jdbc:duckdb:");
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "COPY (" + query + ") TO '" + file + "' (FORMAT parquet, ROW_GROUP_SIZE 2048, " + options + ")");
        }
        return file;
    }
}
