package org.fedlora4j.grpc;

import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.fedlora4j.common.AtomicFiles;
import org.fedlora4j.common.BadInputException;

/**
 * An authority of one's own and the certificates that it issues, for tests and first steps. Files are PEM; those that end in
 * {@code .key} are private, and nobody but their owner may read them.
 */
public final class Certificates {
    public static final String AUTHORITY = "authority";
    public static final String SERVER = "server";

    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";

    private final Path folder;
    private final KeyPair keys;
    private final X509Certificate certificate;

    private Certificates(Path folder, KeyPair keys, X509Certificate certificate) {
        this.folder = folder;
        this.keys = keys;
        this.certificate = certificate;
    }

    /** The authority that a folder has, or a new one in it, valid from now. */
    public static Certificates in(Path folder, Duration validity) throws IOException {
        Path file = folder.resolve(AUTHORITY + ".pem");
        Path key = folder.resolve(AUTHORITY + ".key");
        try {
            if (Files.exists(file)) {
                X509Certificate certificate = read(file);
                return new Certificates(folder, new KeyPair(certificate.getPublicKey(), privateKey(key)), certificate);
            }
            KeyPair keys = newKeys();
            X500Principal name = new X500Principal("CN=fedlora test authority");
            JcaX509v3CertificateBuilder builder = builder(name, name, keys, Instant.now(), validity);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            X509Certificate certificate = signed(builder, keys.getPrivate());
            writeKey(key, keys.getPrivate());
            write(file, certificate);
            return new Certificates(folder, keys, certificate);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new BadInputException(folder + ": no authority: " + e.getMessage(), e);
        }
    }

    /** Issues a server's certificate: {@code server.pem} and {@code server.key}. */
    public void issueServer(String host, Duration validity) throws IOException {
        boolean address = host.matches("[0-9.]+") || host.contains(":");
        GeneralName name = new GeneralName(address ? GeneralName.iPAddress : GeneralName.dNSName, host);
        issue(SERVER, host, KeyPurposeId.id_kp_serverAuth, new GeneralNames(name), Instant.now(), validity);
    }

    /** Issues a client's certificate, with its id as the common name: {@code ID.pem} and {@code ID.key}. */
    public void issueClient(String id, Duration validity) throws IOException {
        issueClient(id, Instant.now(), validity);
    }

    void issueClient(String id, Instant from, Duration validity) throws IOException {
        if (!id.matches(NAME) || id.equals(AUTHORITY) || id.equals(SERVER)) {
            throw new BadInputException(
                    "client '" + id + "': wanted letters, digits, dots, hyphens and underscores, and" + " neither "
                            + AUTHORITY + " nor " + SERVER);
        }
        GeneralNames name = new GeneralNames(new GeneralName(GeneralName.dNSName, id));
        issue(id, id, KeyPurposeId.id_kp_clientAuth, name, from, validity);
    }

    private void issue(
            String file,
            String commonName,
            KeyPurposeId purpose,
            GeneralNames alternativeNames,
            Instant from,
            Duration validity)
            throws IOException {
        if (Files.exists(folder.resolve(file + ".pem"))) {
            throw new BadInputException(folder.resolve(file + ".pem") + ": is there already, wanted another name");
        }
        try {
            KeyPair own = newKeys();
            JcaX509v3CertificateBuilder builder = builder(
                    certificate.getSubjectX500Principal(),
                    new X500Principal("CN=\"" + commonName + "\""),
                    own,
                    from,
                    validity);
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purpose));
            builder.addExtension(Extension.subjectAlternativeName, false, alternativeNames);
            X509Certificate issued = signed(builder, keys.getPrivate());
            writeKey(folder.resolve(file + ".key"), own.getPrivate());
            write(folder.resolve(file + ".pem"), issued);
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new BadInputException(folder + ": no certificate for " + commonName + ": " + e.getMessage(), e);
        }
    }

    /** A certificate in PEM. */
    static X509Certificate read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
        } catch (GeneralSecurityException e) {
            throw new BadInputException(file + ": no certificate in PEM: " + e.getMessage(), e);
        }
    }

    private static KeyPair newKeys() throws GeneralSecurityException {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
        return generator.generateKeyPair();
    }

    private static JcaX509v3CertificateBuilder builder(
            X500Principal issuer, X500Principal subject, KeyPair keys, Instant from, Duration validity) {
        // Clocks differ a little between machines.
        Instant begin = from.minus(Duration.ofMinutes(5));
        return new JcaX509v3CertificateBuilder(
                issuer,
                new BigInteger(127, RANDOM),
                Date.from(begin),
                Date.from(from.plus(validity)),
                subject,
                keys.getPublic());
    }

    private static X509Certificate signed(JcaX509v3CertificateBuilder builder, PrivateKey key)
            throws GeneralSecurityException, OperatorCreationException, CertIOException {
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key)));
    }

    private static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
        String base64 =
                Files.readString(file).replaceAll("-----[A-Z ]+-----", "").replaceAll("\\s", "");
        try {
            return KeyFactory.getInstance("EC")
                    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
        } catch (IllegalArgumentException e) {
            throw new BadInputException(file + ": no private key in PEM", e);
        }
    }

    private static void write(Path file, X509Certificate certificate) throws IOException, GeneralSecurityException {
        AtomicFiles.writeString(file, pem("CERTIFICATE", certificate.getEncoded()));
    }

    /** Nobody else can read it at any moment. */
    private static void writeKey(Path file, PrivateKey key) throws IOException {
        AtomicFiles.writeFile(file, path -> {
            if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.createFile(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            }
            Files.writeString(path, pem("PRIVATE KEY", key.getEncoded()));
        });
    }

    private static String pem(String what, byte[] bytes) {
        String base64 = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(bytes);
        return "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
    }
}
