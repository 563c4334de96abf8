package org.fedlora4j.tokenizer;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;

/** A small {@code tokenizer.model}. */
final class TinySentencePiece {
    static final int BOS = 1;
    static final int EOS = 2;

    private TinySentencePiece() {}

    /** Writes one field. */
    @FunctionalInterface
    interface Field {
        void write(CodedOutputStream out) throws IOException;
    }

    /** unk, bos, eos, the bytes (byte b has the id 3 + b), then pieces from id 259 on. */
    static List<Piece> pieces() {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("<unk>", 0, TokenType.UNKNOWN));
        pieces.add(new Piece("<s>", 0, TokenType.CONTROL));
        pieces.add(new Piece("</s>", 0, TokenType.CONTROL));
        for (int value = 0; value < 256; value++) {
            pieces.add(new Piece(String.format(Locale.ROOT, "<0x%02X>", value), 0, TokenType.BYTE));
        }
        String[] normal = {"▁a", "ab", "bc", "▁abc", "s>", "<s", "▁", "a", "b", "c", "<", "s", ">", "/", "🙂"};
        for (int i = 0; i < normal.length; i++) {
            pieces.add(new Piece(normal[i], -i, TokenType.NORMAL));
        }
        pieces.add(new Piece("[user]", 0, TokenType.USER_DEFINED));
        pieces.add(new Piece("aa", 1, TokenType.UNUSED));
        return pieces;
    }

    static int id(String piece) {
        return pieces().stream().map(Piece::text).toList().indexOf(piece);
    }

    static void write(Path folder) throws IOException {
        write(folder, pieces());
    }

    /** @param more fields of trainer_spec (2) and normalizer_spec (3) that come after the usual ones and so prevail */
    static void write(Path folder, List<Piece> pieces, Field... more) throws IOException {
        var bytes = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        for (Piece piece : pieces) {
            message(1, fields -> {
                        fields.writeString(1, piece.text());
                        fields.writeFloat(2, piece.score());
                        fields.writeEnum(3, piece.type().number());
                    })
                    .write(out);
        }
        message(2, fields -> {
                    fields.writeString(1, "a field that nobody reads");
                    fields.writeEnum(3, 2);
                    fields.writeBool(35, true);
                })
                .write(out);
        message(3, fields -> {
                    fields.writeBytes(2, ByteString.EMPTY);
                    fields.writeBool(4, false);
                })
                .write(out);
        for (Field field : more) {
            field.write(out);
        }
        out.flush();
        Files.write(folder.resolve("tokenizer.model"), bytes.toByteArray());
    }

    static Field message(int number, Field fields) {
        return out -> {
            var bytes = new ByteArrayOutputStream();
            CodedOutputStream inner = CodedOutputStream.newInstance(bytes);
            fields.write(inner);
            inner.flush();
            out.writeByteArray(number, bytes.toByteArray());
        };
    }
}
