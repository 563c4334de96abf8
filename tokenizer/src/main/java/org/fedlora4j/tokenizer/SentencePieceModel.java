package org.fedlora4j.tokenizer;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.fedlora4j.common.BadInputException;
import org.fedlora4j.tokenizer.SentencePieceVocabulary.Piece;

/**
 * Reads {@code tokenizer.model}, SentencePiece's protobuf (github.com/google/sentencepiece,
 * {@code sentencepiece_model.proto}; field numbers and defaults are those of that file).
 */
final class SentencePieceModel {
    /** LLaMA 2's has 0.5 MB, one of 256,000 pieces 4 MB. */
    private static final long MAX_BYTES = 16 << 20;

    private static final int BPE = 2;

    private final Path file;
    private final CodedInputStream in;
    private final List<Piece> pieces = new ArrayList<>();

    // trainer_spec
    private int modelType = 1;
    private boolean whitespaceAsSuffix;
    private boolean byteFallback;
    private String bosPiece = "<s>";
    private String eosPiece = "</s>";
    private String padPiece = "<pad>";
    // normalizer_spec
    private boolean charactersMapped;
    private boolean spacePrefix = true;
    private boolean removeExtraBlanks = true;
    private boolean escapeBlanks = true;

    private SentencePieceModel(Path file, byte[] bytes) {
        this.file = file;
        in = CodedInputStream.newInstance(bytes);
    }

    /** @throws BadInputException if the file is broken or no BPE model with byte fallback and LLaMA's normalization */
    static SentencePieceModel read(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new BadInputException(file + ": has " + size + " bytes, wanted at most " + MAX_BYTES);
        }
        var model = new SentencePieceModel(file, Files.readAllBytes(file));
        try {
            model.readFields(model::readModelField);
        } catch (InvalidProtocolBufferException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new BadInputException(
                    file + ": broken at byte " + model.in.getTotalBytesRead() + " (" + reason
                            + "), wanted a SentencePiece model",
                    e);
        }
        model.requireLlamaKind();
        return model;
    }

    /** Every text opens with bos, if there is one. */
    SentencePieceVocabulary vocabulary() {
        Integer bos = roles().get("bos");
        return new SentencePieceVocabulary(
                file + ": pieces", pieces, spacePrefix, bos == null ? OptionalInt.empty() : OptionalInt.of(bos));
    }

    /** The ids of bos, eos and pad, as far as the model has them. */
    Map<String, Integer> roles() {
        Map<String, Integer> roles = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            if (pieces.get(id).type() == TokenType.CONTROL) {
                String text = pieces.get(id).text();
                if (text.equals(bosPiece)) {
                    roles.put("bos", id);
                } else if (text.equals(eosPiece)) {
                    roles.put("eos", id);
                } else if (text.equals(padPiece)) {
                    roles.put("pad", id);
                }
            }
        }
        return roles;
    }

    private void requireLlamaKind() {
        require(modelType == BPE, "trainer_spec.model_type is " + modelType, "2 (BPE)");
        require(byteFallback, "trainer_spec.byte_fallback is false", "true");
        require(!whitespaceAsSuffix, "trainer_spec.treat_whitespace_as_suffix is true", "false");
        require(!charactersMapped, "normalizer_spec.precompiled_charsmap is not empty", "none (identity)");
        require(!removeExtraBlanks, "normalizer_spec.remove_extra_whitespaces is true", "false");
        require(escapeBlanks, "normalizer_spec.escape_whitespaces is false", "true");
    }

    private void require(boolean condition, String found, String wanted) {
        if (!condition) {
            throw new BadInputException(file + ": " + found + ", wanted " + wanted);
        }
    }

    /** Reads the value of the field with this tag; false if it doesn't know the field. */
    @FunctionalInterface
    private interface FieldReader {
        boolean read(int tag) throws IOException;
    }

    private void readFields(FieldReader reader) throws IOException {
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            if (!reader.read(tag) && !in.skipField(tag)) {
                throw new InvalidProtocolBufferException("A group ends that did not begin.");
            }
        }
    }

    private boolean readMessage(FieldReader reader) throws IOException {
        int outer = in.pushLimit(in.readRawVarint32());
        readFields(reader);
        in.popLimit(outer);
        return true;
    }

    private boolean readModelField(int tag) throws IOException {
        return switch (tag) {
            case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> readPiece();
            case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> readMessage(this::readTrainerField);
            case 3 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> readMessage(this::readNormalizerField);
            default -> false;
        };
    }

    private boolean readPiece() throws IOException {
        var reader = new Object() {
            String text = "";
            float score;
            int type = 1;

            boolean read(int tag) throws IOException {
                switch (tag) {
                    case 1 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> text = in.readStringRequireUtf8();
                    case 2 << 3 | WireFormat.WIRETYPE_FIXED32 -> score = in.readFloat();
                    case 3 << 3 | WireFormat.WIRETYPE_VARINT -> type = in.readEnum();
                    default -> {
                        return false;
                    }
                }
                return true;
            }
        };
        readMessage(reader::read);
        TokenType type = TokenType.of(reader.type)
                .orElseThrow(() -> new BadInputException(
                        file + ": pieces " + pieces.size() + " has the type " + reader.type + ", wanted 1 to 6"));
        return pieces.add(new Piece(reader.text, reader.score, type));
    }

    private boolean readTrainerField(int tag) throws IOException {
        switch (tag) {
            case 3 << 3 | WireFormat.WIRETYPE_VARINT -> modelType = in.readEnum();
            case 24 << 3 | WireFormat.WIRETYPE_VARINT -> whitespaceAsSuffix = in.readBool();
            case 35 << 3 | WireFormat.WIRETYPE_VARINT -> byteFallback = in.readBool();
            case 46 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> bosPiece = in.readStringRequireUtf8();
            case 47 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> eosPiece = in.readStringRequireUtf8();
            case 48 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED -> padPiece = in.readStringRequireUtf8();
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean readNormalizerField(int tag) throws IOException {
        switch (tag) {
            case 2 << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED ->
                charactersMapped = !in.readBytes().isEmpty();
            case 3 << 3 | WireFormat.WIRETYPE_VARINT -> spacePrefix = in.readBool();
            case 4 << 3 | WireFormat.WIRETYPE_VARINT -> removeExtraBlanks = in.readBool();
            case 5 << 3 | WireFormat.WIRETYPE_VARINT -> escapeBlanks = in.readBool();
            default -> {
                return false;
            }
        }
        return true;
    }
}
